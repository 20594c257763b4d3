import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Trials } from "../evidence/trials.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { writeWhole } from "./atomicFile.ts";
import { renderRunReport } from "./html/runReport.ts";
import { renderTrialsReport } from "./html/trialsReport.ts";
import { readBundle, readRun, readTrials } from "./readBundle.ts";

/** Name of a report's file, at the root of a bundle or of a folder of trials. */
export const reportFile = "report.html";

/** Raw files longer than this are not quoted from. */
const mostQuoted = 20_000_000;

/**
 * Writes the report of a bundle into it, or of a folder of trials: then each trial's report is written too, but for trials whose bundle cannot be
 * read, which the trials' own page still tells. Gives the path of the report.
 * @throws Failure (usage) when the folder is no bundle and holds no trials, or cannot be read or written.
 */
export async function writeReport(folder: string): Promise<string> {
  const files = await filesOf(folder);
  if (files.includes("run.json")) return writeRunReport(folder, files);
  if (!files.includes("trials.json")) {
    throw new Failure({ tried: `report on ${folder}`, seen: "it holds neither run.json nor trials.json", remedy: "Name a bundle, as the last line of a run does, or a folder of trials", exit: exitCode.usage });
  }
  const trials = await readTrials(folder);
  for (const { bundle } of trials.trials) {
    if (files.includes(`${bundle}/evidence.json`)) await writeRunReport(join(folder, bundle), await filesOf(join(folder, bundle)), trials);
  }
  await writeWhole(folder, reportFile, await renderTrialsReport(trials, await filesOf(folder)));
  return join(folder, reportFile);
}

/** A run's report. Trials in the folder above it are told of, when it is one of them. */
async function writeRunReport(folder: string, files: readonly string[], known?: Trials): Promise<string> {
  const run = await readRun(folder);
  const evidence = await readBundle(folder);
  const trials = known ?? (await trialsAround(folder));
  await writeWhole(folder, reportFile, await renderRunReport({ run, evidence, files: files.filter((file) => file !== reportFile), read: (path) => textOf(folder, files, path), trials }));
  return join(folder, reportFile);
}

async function trialsAround(folder: string): Promise<Trials | undefined> {
  const above = dirname(folder);
  const trials = (await readdir(above)).includes("trials.json") ? await readTrials(above) : undefined;
  return trials?.trials.some(({ bundle }) => bundle === basename(folder)) === true ? trials : undefined;
}

/** Paths of all files below a folder, relative to it, with `/` between their parts; hidden files are somebody's who writes just now. */
async function filesOf(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && !entry.name.startsWith(".")).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/")).sort();
  } catch (error) {
    throw new Failure({ tried: `report on ${folder}`, seen: messageOf(error), remedy: "Name a bundle, as the last line of a run does, or a folder of trials", exit: exitCode.usage, cause: error });
  }
}

/** Only files that were found in the bundle are read: a bundle cannot make its reader open others. */
async function textOf(folder: string, files: readonly string[], path: string): Promise<string | undefined> {
  if (!files.includes(path)) return undefined;
  const content = await readFile(join(folder, path));
  return content.length > mostQuoted ? undefined : content.toString("utf8");
}
