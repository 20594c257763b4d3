import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { evidenceSchema, type Evidence } from "../evidence/evidence.ts";
import { flowLedgerSchema } from "../evidence/ledger.ts";
import { runSchema, type Run } from "../evidence/run.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { ledgerPath } from "../judge/scene.ts";
import { evidenceFileSchema, evidenceVersion } from "./bundle.ts";

/**
 * Reads a bundle's evidence, to judge it again.
 * @throws Failure, one for the whole bundle, when a file is missing or cut short, is of a newer fwlab, or does not fit the schema.
 */
export async function readBundle(folder: string): Promise<Evidence> {
  const { flows, ...file } = await readJson(folder, "evidence.json", evidenceFileSchema, evidenceVersion);
  // The path is the id's own, whatever the file says: a bundle cannot make its reader open other files.
  const ledgers = await Promise.all(flows.map(({ id }) => readJson(folder, ledgerPath(id), flowLedgerSchema)));
  const misplaced = flows.findIndex(({ id }, index) => ledgers[index]?.id !== id);
  if (misplaced !== -1) throw unreadable(folder, ledgerPath(flows[misplaced]?.id ?? ""), `it is the ledger of ${ledgers[misplaced]?.id ?? "nobody"}`);
  return evidenceSchema.parse({ ...file, flows: ledgers });
}

/** Reads a bundle's `run.json`. @throws Failure as readBundle. */
export function readRun(folder: string): Promise<Run> {
  return readJson(folder, "run.json", runSchema, 1);
}

async function readJson<T extends z.ZodType>(folder: string, relativePath: string, schema: T, version?: number): Promise<z.infer<T>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(folder, relativePath), "utf8"));
  } catch (error) {
    throw unreadable(folder, relativePath, error instanceof SyntaxError ? `cut short or no JSON (${messageOf(error)})` : messageOf(error), error);
  }
  const told = z.object({ schema: z.number() }).safeParse(value);
  if (version !== undefined && told.success && told.data.schema > version) {
    throw new Failure({
      tried: `read the bundle ${folder}`,
      seen: `${relativePath} is of schema ${told.data.schema}, and this fwlab knows up to ${version}`,
      remedy: "Read it with the fwlab that wrote it, or a newer one",
      exit: exitCode.usage,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw unreadable(folder, relativePath, issues.join("; "), result.error);
}

function unreadable(folder: string, relativePath: string, seen: string, cause?: unknown): Failure {
  return new Failure({ tried: `read the bundle ${folder}`, seen: `${relativePath}: ${seen}`, remedy: "The bundle is damaged or incomplete: run again, or take it from its first copy", exit: exitCode.usage, cause });
}
