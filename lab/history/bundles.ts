import { readdir, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { HistoryEntry } from "../evidence/history.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { readRun, readTrials } from "../report/readBundle.ts";
import { entryOfRun, entryOfTrials } from "./entryOf.ts";

/** What a folder was found to be. */
export type FoundBundle = { readonly is: "entry"; readonly entry: HistoryEntry } | { readonly is: "unfinished"; readonly folder: string };

/**
 * Reads the run or trials in a folder as a line of history. A run that was killed left a bundle that says so, and is told as unfinished.
 * @returns undefined when the folder holds neither. @throws Failure (usage) when what it holds is cut short, damaged or of a newer fwlab.
 */
export async function bundleEntry(folder: string, runsFolder: string): Promise<FoundBundle | undefined> {
  const place = async (file: string) => ({ folder: relative(runsFolder, folder), begunAt: (await stat(join(folder, file))).mtime, project: dirname(runsFolder) });
  if (await isFile(join(folder, "trials.json"))) {
    const trials = await readTrials(folder);
    if (trials.trials.length === 0) return { is: "unfinished", folder };
    return { is: "entry", entry: entryOfTrials(trials, await place("trials.json")) };
  }
  if (await isFile(join(folder, "run.json"))) {
    const run = await readRun(folder);
    // What a run cost is written at its end, whatever the end was.
    if (run.durations["totalMs"] === undefined) return { is: "unfinished", folder };
    return { is: "entry", entry: entryOfRun(run, await place("run.json")) };
  }
  return undefined;
}

/** All runs and trials right below a folder, and what could not be read there. */
export interface FoundBundles {
  readonly entries: readonly HistoryEntry[];
  /** Folders of runs that did not come to their end. */
  readonly unfinished: readonly string[];
  readonly unreadable: readonly Failure[];
}

/** Reads every run and trials right below a folder. @throws Failure (usage) when the folder itself cannot be read. */
export async function bundlesIn(folder: string, runsFolder: string): Promise<FoundBundles> {
  const names = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new Failure({ tried: `read the folder ${folder}`, seen: messageOf(error), remedy: "Name a folder of runs", exit: exitCode.usage, cause: error });
  });
  const entries: HistoryEntry[] = [];
  const unfinished: string[] = [];
  const unreadable: Failure[] = [];
  for (const { name } of names.filter((each) => each.isDirectory()).toSorted((a, b) => a.name.localeCompare(b.name))) {
    try {
      const found = await bundleEntry(join(folder, name), runsFolder);
      if (found?.is === "entry") entries.push(found.entry);
      if (found?.is === "unfinished") unfinished.push(name);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      unreadable.push(error);
    }
  }
  return { entries, unfinished, unreadable };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw new Failure({ tried: `look for ${path}`, seen: messageOf(error), remedy: "Make the folder readable", exit: exitCode.usage, cause: error });
  }
}
