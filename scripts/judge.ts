import { Command } from "commander";
import type { Verdict } from "../lab/evidence/run.ts";
import { exitCode, type ExitCode } from "../lab/failure/failure.ts";
import type { KeptConfigState } from "../lab/machine/keptConfig.ts";
import { renderComparison } from "../lab/report/judgedAgain.ts";
import { lookOf, renderRun } from "../lab/report/terminal.ts";
import { bundleKind } from "../lab/report/readBundle.ts";
import { renderTrials } from "../lab/report/trialsTerminal.ts";
import { judgeAgain, judgeTrialsAgain, type JudgedAgain } from "../lab/run/judgeAgain.ts";
import { exitCodeOf } from "../lab/run/judgedRun.ts";
import { interruption } from "./interruption.ts";
import { fromCaller } from "./startOptions.ts";

/** `fwlab judge`: the verdict of a bundle, from its own files. */
export function judgeCommand(): Command {
  return new Command("judge")
    .description("judge the bundle of a run or of trials again, without a VM, and say whether that agrees with what it was judged then")
    .argument("<bundle>", "folder of a run or of trials")
    .option("--json", "print the new judgement and every difference as JSON", false)
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab judge fixtures/bundles/no-conntrackd")
    .action(async (path: string, { json }: { json: boolean }) => {
      const signal = interruption();
      const folder = fromCaller(path);
      process.exitCode = (await bundleKind(folder)) === "run" ? await ofRun(folder, json, signal) : await ofTrials(folder, json, signal);
    });
}

async function ofRun(folder: string, json: boolean, signal: AbortSignal): Promise<ExitCode> {
  const again = await judgeAgain(folder, signal);
  if (json) {
    print({ run: again.run, ...told(again) });
  } else {
    const look = lookOf(process.stdout, process.env);
    console.log(renderRun(again.run, folder, look));
    console.log(renderComparison(again, [configRemark(again.config)], look));
  }
  return codeOf(again.run.verdict, [again]);
}

async function ofTrials(folder: string, json: boolean, signal: AbortSignal): Promise<ExitCode> {
  const { trials, runs, differences, notCompared } = await judgeTrialsAgain(folder, signal);
  // What a trial's own run.json tells besides what trials.json sums up.
  const all = [...differences, ...runs.flatMap(({ run, differences: own }) => own.map((each) => ({ ...each, what: `${run.id} ${each.what}` })))];
  if (json) {
    print({ trials, agrees: all.length === 0, differences: all, notCompared, config: runs.map(({ config }) => config) });
  } else {
    const look = lookOf(process.stdout, process.env);
    console.log(renderTrials(trials, folder, look));
    console.log(renderComparison({ differences: all, notCompared }, [...new Set(runs.map(({ config }) => configRemark(config)))], look));
  }
  return codeOf(trials.verdict, runs);
}

/** A config tree that is not the one that the run names is no evidence for its verdict. */
function codeOf(verdict: Verdict, runs: readonly JudgedAgain[]): ExitCode {
  return runs.some(({ config }) => config.state === "other") ? exitCode.usage : exitCodeOf(verdict);
}

function told({ differences, notCompared, config }: JudgedAgain) {
  return { agrees: differences.length === 0, differences, notCompared, config };
}

function configRemark(config: KeptConfigState): string {
  switch (config.state) {
    case "same":
      return "the tree in config/ has the hash that the run names";
    case "other":
      return `the tree in config/ was changed: its hash is ${config.sha256}, and not the one that the run names`;
    case "withheld":
      return `its hash cannot be told again, for files were withheld: ${config.files.join("; ")}`;
    case "none":
      return "the bundle holds no config tree, so its hash cannot be told again";
  }
}

function print(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
