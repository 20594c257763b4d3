import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { HistoryEntry } from "../evidence/history.ts";
import { writeWhole } from "../report/atomicFile.ts";
import { readHistory } from "./historyFile.ts";
import { renderIndex } from "./indexPage.ts";
import { trendsOf } from "./trends.ts";

const indexName = "index.html";

/** What a run's line leads to, the best first. */
const pages = ["report.html", "trials.json", "run.json"];

/** Writes `index.html` into the folder of runs, out of its history, and gives its path. @throws Failure when the history cannot be read, or the page not written. */
export async function writeIndex(runsFolder: string): Promise<string> {
  const { entries, broken } = await readHistory(runsFolder);
  const links = new Map(await Promise.all(entries.map(async (entry): Promise<[string, string | undefined]> => [entry.id, await linkOf(entry, runsFolder)])));
  await writeWhole(runsFolder, indexName, await renderIndex({ entries, trends: trendsOf(entries), linkOf: ({ id }) => links.get(id), broken: broken.length }));
  return join(runsFolder, indexName);
}

/** Folders outside are not led to: a history may come from somebody else. */
async function linkOf({ folder }: HistoryEntry, runsFolder: string): Promise<string | undefined> {
  const parts = folder.split("/");
  if (folder === "" || parts.includes("..") || folder.startsWith("/")) return undefined;
  for (const page of pages) {
    const file = await stat(join(runsFolder, folder, page)).catch(() => undefined);
    if (file?.isFile() === true) return [...parts, page].map(encodeURIComponent).join("/");
  }
  return undefined;
}
