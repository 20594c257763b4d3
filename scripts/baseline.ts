import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { nameBaseline, readBaselines } from "../lab/history/baselines.ts";
import { readHistory } from "../lab/history/historyFile.ts";
import { pooled } from "../lab/history/pooled.ts";
import { entriesOf } from "../lab/history/subject.ts";
import { withLock } from "../lab/host/lock.ts";
import { exitCode, Failure } from "../lab/failure/failure.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { callersFolder } from "../lab/run/portablePath.ts";

/** `fwlab baseline`: names runs and trials that later ones are compared with. */
export function baselineCommand(): Command {
  return new Command("baseline")
    .description("name a run or trials as a baseline; without a name, list the baselines")
    .argument("[name]", "the baseline's name")
    .argument("[path]", "id in the history, folder, or another baseline; the latest of the history unless given")
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab baseline before-the-change")
    .action(async (name: string | undefined, path: string | undefined) => {
      if (name === undefined) return list();
      const entries = path === undefined ? await latest() : await entriesOf(path, { runsFolder, from: callersFolder() });
      const { summary } = pooled(path ?? "the latest", entries);
      await mkdir(runsFolder, { recursive: true });
      const lock = { signal: new AbortController().signal, onWait: () => console.log("waiting for somebody else who names a baseline") };
      await withLock(join(runsFolder, "baselines.lock"), lock, () => nameBaseline(runsFolder, name, entries));
      console.log(`baseline ${name}: ${summary.ids.join(", ")} (${summary.counts.pass + summary.counts.fail} valid failovers)`);
    });
}

async function list(): Promise<void> {
  const baselines = Object.entries(await readBaselines(runsFolder));
  if (baselines.length === 0) console.log("no baseline is named yet: fwlab baseline NAME [PATH]");
  for (const [name, { namedAt, entries }] of baselines) {
    console.log(`${name}: ${entries.map(({ id }) => id).join(", ")} (named ${namedAt.slice(0, 10)})`);
  }
}

async function latest() {
  const entry = (await readHistory(runsFolder)).entries.at(-1);
  if (entry === undefined) {
    throw new Failure({ tried: "name the latest run as a baseline", seen: "the history is empty", remedy: "Name its folder, or `fwlab history --rebuild`", exit: exitCode.usage });
  }
  return [entry];
}
