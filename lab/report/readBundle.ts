import { readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { z } from "zod";
import { evidenceSchema, type Evidence } from "../evidence/evidence.ts";
import { flowLedgerSchema } from "../evidence/ledger.ts";
import { runSchema, type Run } from "../evidence/run.ts";
import { trialsSchema, type Trials } from "../evidence/trials.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { ledgerPath } from "../judge/scene.ts";
import { evidenceFileSchema, evidenceVersion } from "./bundle.ts";

/** What a folder holds: one run, or trials with a run each. */
export type BundleKind = "run" | "trials";

/** What a folder holds. @throws Failure (usage) when it is not there, or is no bundle. */
export async function bundleKind(folder: string): Promise<BundleKind> {
  const files: readonly [name: string, kind: BundleKind][] = [
    ["run.json", "run"],
    ["trials.json", "trials"],
  ];
  if (!(await isThere(folder))) throw noBundle(folder, "there is no such folder");
  for (const [name, kind] of files) if (await isThere(join(folder, name))) return kind;
  throw noBundle(folder, "it is no bundle: it has neither run.json nor trials.json");
}

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

/** Whether a bundle has evidence: a run that was killed has none. @throws Failure as readBundle. */
export async function hasEvidence(folder: string): Promise<boolean> {
  return isThere(join(folder, "evidence.json"));
}

/** Reads a bundle's `run.json`. @throws Failure as readBundle. */
export async function readRun(folder: string): Promise<Run> {
  return readJson(folder, "run.json", runSchema, 1);
}

/** `run.json` as it stands, to see which fields its fwlab knew. @throws Failure as readBundle. */
export async function readRunAsWritten(folder: string): Promise<Readonly<Record<string, unknown>>> {
  return readJson(folder, "run.json", z.record(z.string(), z.unknown()), 1);
}

/** Reads `trials.json`. @throws Failure as readBundle. */
export async function readTrials(folder: string): Promise<Trials> {
  return readJson(folder, "trials.json", trialsSchema, 1);
}

/** The file of a run's capture, when the evidence names one, which never leads out of the bundle. @throws Failure when it is missing or leads out of the bundle. */
export async function captureFile(folder: string, { capture }: Pick<Evidence, "capture">): Promise<string | undefined> {
  if (capture === undefined || capture === "off") return undefined;
  return fileInside(folder, capture.file);
}

/**
 * A file of a bundle, by what the bundle itself calls it: neither the name nor a link on the way may lead its reader out of the bundle.
 * @throws Failure when it does, or the file is missing.
 */
export async function fileInside(folder: string, relativePath: string): Promise<string> {
  const path = join(folder, relativePath);
  if (isAbsolute(relativePath) || !isBelow(folder, path)) throw unreadable(folder, relativePath, "the path leads out of the bundle");
  try {
    if (!isBelow(await realpath(folder), await realpath(path))) throw unreadable(folder, relativePath, "a link leads out of the bundle");
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(folder, relativePath, messageOf(error), error);
  }
  return path;
}

function isBelow(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw noBundle(path, messageOf(error), error);
  }
}

async function readJson<T extends z.ZodType>(folder: string, relativePath: string, schema: T, version?: number): Promise<z.infer<T>> {
  const path = await fileInside(folder, relativePath);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
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

function noBundle(folder: string, seen: string, cause?: unknown): Failure {
  return new Failure({ tried: `read the bundle ${folder}`, seen, remedy: "Give the folder of a run or of trials, as the end of npm start names it", exit: exitCode.usage, cause });
}

function unreadable(folder: string, relativePath: string, seen: string, cause?: unknown): Failure {
  return new Failure({ tried: `read the bundle ${folder}`, seen: `${relativePath}: ${seen}`, remedy: "The bundle is damaged or incomplete: run again, or take it from its first copy", exit: exitCode.usage, cause });
}
