import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { evidenceSchema, type Evidence } from "../evidence/evidence.ts";
import type { FlowLedger } from "../evidence/ledger.ts";
import { runSchema, type Run } from "../evidence/run.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { ledgerPath } from "../judge/scene.ts";
import { writeWhole, type FileContent } from "./atomicFile.ts";

/** Number of the form of `evidence.json`. Raised when a reader of the old form would misread the new one. */
export const evidenceVersion = 1;

/** `evidence.json`: the evidence, with the flows' ledgers in files of their own. */
export const evidenceFileSchema = evidenceSchema
  .omit({ flows: true })
  .extend({ schema: z.literal(evidenceVersion), flows: z.array(z.object({ id: z.string(), ledger: z.string() })) });

/** Evidence as it is written: `evidence.json`, and the ledgers by their paths. */
export function evidenceFile({ flows, ...rest }: Evidence): { readonly file: z.infer<typeof evidenceFileSchema>; readonly ledgers: ReadonlyMap<string, FlowLedger> } {
  return {
    file: { schema: evidenceVersion, ...rest, flows: flows.map(({ id }) => ({ id, ledger: ledgerPath(id) })) },
    ledgers: new Map(flows.map((flow) => [ledgerPath(flow.id), flow])),
  };
}

/** The published form of `run.json` as a JSON Schema, for tools that are not ours. */
export function runJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(runSchema);
}

/** What is known of a run from its first moment. */
export type RunStart = Pick<Run, "id" | "topology" | "config" | "fault" | "host" | "versions" | "command">;

/** An id for a run that begins now: sortable by time, and unique. */
export function newRunId(now: Date = new Date()): string {
  return `${now.toISOString().slice(0, 19).replaceAll(":", "-")}Z-${randomBytes(2).toString("hex")}`;
}

const unfinishedReason = "the run did not finish";

/** The result of a run that has not come to its end: invalid. */
export function unfinishedRun(start: RunStart): Run {
  return { schema: 1, ...start, verdict: "invalid", reason: unfinishedReason, flows: [], checks: [], outages: [], timelines: [], drops: [], durations: {} };
}

/** Whether a `run.json` is still the one that its run began with: the run was killed before it could say more. */
export function isUnfinished({ verdict, reason, checks }: Run): boolean {
  return verdict === "invalid" && reason === unfinishedReason && checks.length === 0;
}

/** The folder that holds all evidence and the verdict of one run. */
export class Bundle {
  /** Absolute path. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Makes `<runsFolder>/<id>/` with a `run.json` that says invalid, so that a run that is killed leaves a bundle that says so.
   * @throws Failure when the folder exists already or cannot be made, or `start` does not fit the schema.
   */
  static async create(runsFolder: string, start: RunStart): Promise<Bundle> {
    if (!/^[\w.-]+$/u.test(start.id) || /^\.+$/u.test(start.id)) {
      throw new Failure({ tried: "make the run's bundle", seen: `the id ${JSON.stringify(start.id)} is no folder's name`, remedy: "Use letters, digits, dot, dash and underscore", exit: exitCode.usage });
    }
    const folder = resolve(runsFolder, start.id);
    try {
      await mkdir(dirname(folder), { recursive: true });
      await mkdir(folder);
    } catch (error) {
      throw new Failure({ tried: `make the run's bundle ${folder}`, seen: messageOf(error), remedy: "Choose another folder for runs, or another id", exit: exitCode.usage, cause: error });
    }
    const bundle = new Bundle(folder);
    await bundle.writeRun(unfinishedRun(start));
    return bundle;
  }

  /** Keeps a file, whole or not at all. Bound, so that it can be handed on as `save`. @throws Failure as writeWhole. */
  readonly save = (relativePath: string, content: FileContent): Promise<void> => writeWhole(this.folder, relativePath, content);

  /** Writes `evidence.json`, and each flow's ledger before it, so that evidence never refers to a ledger that is not there. @throws Failure */
  async writeEvidence(evidence: Evidence): Promise<void> {
    const { file, ledgers } = evidenceFile(evidence);
    await Promise.all([...ledgers].map(([path, ledger]) => this.save(path, `${JSON.stringify(ledger)}\n`)));
    await this.save("evidence.json", `${JSON.stringify(file, undefined, 1)}\n`);
  }

  /** Writes `run.json`, checked against its published schema. @throws Failure when the run does not fit it. */
  async writeRun(run: Run): Promise<void> {
    const result = runSchema.safeParse(run);
    if (!result.success) {
      throw new Failure({
        tried: "write run.json",
        seen: result.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "),
        remedy: "This is a fault of fwlab's: please report it with these lines",
        exit: exitCode.invalid,
        cause: result.error,
      });
    }
    await this.save("run.json", `${JSON.stringify(result.data, undefined, 2)}\n`);
  }
}
