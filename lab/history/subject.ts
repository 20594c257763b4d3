import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import type { HistoryEntry } from "../evidence/history.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import { readBaselines } from "./baselines.ts";
import { bundleEntry, bundlesIn } from "./bundles.ts";
import { readHistory } from "./historyFile.ts";
import { pooled, type Subject } from "./pooled.ts";

export interface SubjectPlace {
  /** Where bundles, history and baselines are. */
  readonly runsFolder: string;
  /** What relative paths are relative to. */
  readonly from: string;
}

/**
 * Finds what a word on the command line names: a baseline; an id in the history or the only one that begins so; or a folder with a run, trials, or
 * several of them, whose figures are taken together. A word with a slash is a folder.
 * @throws Failure (usage) when it names nothing, more than one, or something unreadable.
 */
export async function subjectOf(name: string, place: SubjectPlace): Promise<Subject> {
  return pooled(name, await entriesOf(name, place));
}

/** The runs and trials that a word on the command line names. @throws Failure as `subjectOf`. */
export async function entriesOf(name: string, { runsFolder, from }: SubjectPlace): Promise<readonly HistoryEntry[]> {
  if (!name.includes("/") && !/^\.*$/u.test(name)) {
    const baseline = Object.entries(await readBaselines(runsFolder)).find(([key]) => key === name)?.[1];
    if (baseline !== undefined) return baseline.entries;
    const { entries } = await readHistory(runsFolder);
    const matching = entries.filter(({ id }) => id === name || (name.length >= 4 && id.startsWith(name)));
    const entry = matching.find(({ id }) => id === name) ?? (matching.length === 1 ? matching[0] : undefined);
    if (entry !== undefined) return [entry];
    if (matching.length > 1) throw unknown(name, `${matching.length} ids in the history begin so: ${matching.slice(-3).map(({ id }) => id).join(", ")}`);
  }
  const folders = isAbsolute(name) ? [name] : [resolve(from, name), join(runsFolder, name)];
  for (const folder of folders) {
    if ((await stat(folder).catch(() => undefined))?.isDirectory() === true) return entriesIn(name, folder, runsFolder);
  }
  throw unknown(name, "it is no baseline, no id in the history and no folder");
}

async function entriesIn(name: string, folder: string, runsFolder: string): Promise<readonly HistoryEntry[]> {
  const found = await bundleEntry(folder, runsFolder);
  if (found?.is === "entry") return [found.entry];
  if (found?.is === "unfinished") throw unknown(name, "the run did not finish");
  const { entries, unreadable } = await bundlesIn(folder, runsFolder);
  // A pool that silently lost its worst night would be no base.
  if (unreadable[0] !== undefined) throw unreadable[0];
  if (entries.length === 0) throw unknown(name, `${folder} holds no run.json, no trials.json and no folder with one`);
  return entries;
}

function unknown(name: string, seen: string): Failure {
  return new Failure({ tried: `find ${name}`, seen, remedy: "Name a folder, an id or a baseline; `fwlab history` and `fwlab baseline` list them", exit: exitCode.usage });
}
