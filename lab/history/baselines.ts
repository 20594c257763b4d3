import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { baselinesSchema, type Baselines, type HistoryEntry } from "../evidence/history.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { writeWhole } from "../report/atomicFile.ts";

const baselinesName = "baselines.json";

/** The named runs and trials; none yet when there is no file. @throws Failure (usage) when the file is damaged or of a newer fwlab. */
export async function readBaselines(runsFolder: string): Promise<Baselines["baselines"]> {
  const path = join(runsFolder, baselinesName);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw unreadable(path, error instanceof SyntaxError ? `cut short or no JSON (${messageOf(error)})` : messageOf(error));
  }
  const told = z.object({ schema: z.number() }).safeParse(value);
  if (told.success && told.data.schema > 1) throw unreadable(path, `it is of schema ${told.data.schema}, and this fwlab knows up to 1`);
  const result = baselinesSchema.safeParse(value);
  if (!result.success) throw unreadable(path, result.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
  return result.data.baselines;
}

/** Gives runs and trials a name; the name's earlier ones are forgotten. Callers see to it that nobody else does so at the same time. @throws Failure */
export async function nameBaseline(runsFolder: string, name: string, entries: readonly HistoryEntry[], now: Date = new Date()): Promise<void> {
  if (!/^[A-Za-z0-9][\w.-]*$/u.test(name)) {
    throw new Failure({ tried: `name a baseline ${JSON.stringify(name)}`, seen: "that is no name", remedy: "Use letters, digits, dot, dash and underscore", exit: exitCode.usage });
  }
  const baselines = { ...(await readBaselines(runsFolder)), [name]: { namedAt: now.toISOString(), entries: [...entries] } };
  await writeWhole(runsFolder, baselinesName, `${JSON.stringify(baselinesSchema.parse({ schema: 1, baselines }), undefined, 1)}\n`);
}

function unreadable(path: string, seen: string): Failure {
  return new Failure({ tried: `read ${path}`, seen, remedy: "Mend the file, or remove it and name the baselines again", exit: exitCode.usage });
}
