import { Command, Option } from "commander";
import type { HistoryEntry } from "../lab/evidence/history.ts";
import { bundlesIn } from "../lab/history/bundles.ts";
import { historyName, readHistory, rebuildHistory, type History } from "../lab/history/historyFile.ts";
import { renderHistory } from "../lab/history/historyTerminal.ts";
import { trendsOf } from "../lab/history/trends.ts";
import { writeIndex } from "../lab/history/writeIndex.ts";
import { lookOf } from "../lab/report/terminal.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { parseWhole } from "./trialsOptions.ts";
import { reportFailure } from "./reportFailure.ts";

interface HistoryOptions {
  readonly last?: number;
  readonly config?: string;
  readonly topology?: string;
  readonly json: boolean;
  readonly rebuild: boolean;
  readonly html: boolean;
}

/** `fwlab history`: the runs and trials so far, and since when something is otherwise. */
export function historyCommand(): Command {
  return new Command("history")
    .description("list runs and trials, newest last, and where their figures changed for good")
    .addOption(new Option("--last <count>", "the last ones only").argParser((text) => parseWhole(text, undefined, 1, 1_000_000)))
    .option("--config <text>", "only those whose config tree's path or hash has this in it")
    .option("--topology <name>", "only those of this topology")
    .option("--json", "print entries and change points as JSON", false)
    .option("--rebuild", "make the history again out of the bundles that are there", false)
    .option("--html", "write runs/index.html, and print its path", false)
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab history --last 30")
    .action(async (options: HistoryOptions) => {
      const history = options.rebuild ? await rebuilt() : await readHistory(runsFolder);
      tellBroken(history);
      if (options.html) {
        console.log(await writeIndex(runsFolder));
        return;
      }
      const { last, config, topology, json } = options;
      const matching = history.entries.filter((entry) => (topology === undefined || entry.topology === topology) && (config === undefined || hasConfig(entry, config)));
      const entries = last === undefined ? matching : matching.slice(-last);
      const trends = trendsOf(entries);
      if (json) console.log(JSON.stringify({ schema: 1, entries, trends }, undefined, 2));
      else console.log(renderHistory(entries, trends, lookOf(process.stdout, process.env)));
    });
}

function hasConfig({ config }: HistoryEntry, text: string): boolean {
  return config.sha256.startsWith(text) || [config.path, ...config.overlays].some((path) => path.includes(text));
}

async function rebuilt(): Promise<History> {
  const { entries, unfinished, unreadable } = await bundlesIn(runsFolder, runsFolder);
  for (const failure of unreadable) reportFailure(failure);
  const history = await rebuildHistory(runsFolder, entries);
  const left = unfinished.length === 0 ? "" : `; left out, as they did not finish: ${unfinished.join(", ")}`;
  console.error(`${entries.length} bundles read, ${unreadable.length} unreadable${left}; ${history.entries.length} in the history`);
  return history;
}

/** Broken lines are told and stay where they are. */
function tellBroken({ broken }: History): void {
  for (const { line, seen } of broken) console.error(`fwlab: runs/${historyName}, line ${line}: ${seen}; it is left as it is`);
}
