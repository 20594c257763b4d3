import { join } from "node:path";
import type { Run } from "../evidence/run.ts";
import type { Trials } from "../evidence/trials.ts";
import { judge } from "../judge/judge.ts";
import { topologies } from "../judge/topologies.ts";
import { trialOf } from "../judge/trialOf.ts";
import { summarizeTrials } from "../judge/trialsSummary.ts";
import { inspectKeptConfig, type KeptConfigState } from "../machine/keptConfig.ts";
import { isUnfinished } from "../report/bundle.ts";
import { compareRuns, compareTrials, type Comparison } from "../report/differences.ts";
import { fileInside, hasEvidence, readBundle, readRun, readRunAsWritten, readTrials } from "../report/readBundle.ts";
import { faultOf } from "./judgedRun.ts";
import { packetsOf } from "./packetsOf.ts";

/** A run as its bundle is judged now, and how that stands to what it was judged when it was made. */
export interface JudgedAgain extends Comparison {
  /** Folder of the bundle. */
  readonly folder: string;
  readonly run: Run;
  readonly config: KeptConfigState;
}

export interface TrialsJudgedAgain extends Comparison {
  readonly folder: string;
  readonly trials: Trials;
  readonly runs: readonly JudgedAgain[];
}

/**
 * Judges a bundle from its own files alone: no VM, no namespace, nothing is written.
 * @throws Failure (usage) when the bundle is damaged, incomplete, or of a newer fwlab.
 */
export async function judgeAgain(folder: string, signal: AbortSignal): Promise<JudgedAgain> {
  const recorded = await readRun(folder);
  const machineNames = topologies.get(recorded.topology)?.machines.map(({ name }) => name) ?? [];
  const config = await inspectKeptConfig(folder, machineNames, recorded.config.sha256);
  const run = isUnfinished(recorded) && !(await hasEvidence(folder)) ? recorded : await judged(folder, recorded, signal);
  return { folder, run, config, ...compareRuns(await readRunAsWritten(folder), run) };
}

async function judged(folder: string, recorded: Run, signal: AbortSignal): Promise<Run> {
  const evidence = await readBundle(folder);
  // A run that was interrupted may have been judged without its packets: it is invalid whatever they say. It is judged alike again.
  const asked = evidence.interrupted === undefined || recorded.checks.some(({ id }) => id === "capture-whole");
  signal.throwIfAborted();
  const packets = asked ? await packetsOf(folder, evidence, signal) : undefined;
  return {
    ...recorded,
    ...judge(evidence, { packets }),
    fault: faultOf(recorded.fault, evidence),
  };
}

/** Judges each trial again, one after the other, and sums up. @throws Failure as judgeAgain, also when the bundle of a trial is missing. */
export async function judgeTrialsAgain(folder: string, signal: AbortSignal): Promise<TrialsJudgedAgain> {
  const recorded = await readTrials(folder);
  const runs: JudgedAgain[] = [];
  for (const { bundle } of recorded.trials) {
    await fileInside(folder, join(bundle, "run.json"));
    runs.push(await judgeAgain(join(folder, bundle), signal));
    signal.throwIfAborted();
  }
  const made = recorded.trials.flatMap((trial, index) => {
    const run = runs[index]?.run;
    return run === undefined ? [] : [trialOf(run, trial)];
  });
  const trials = { ...recorded, trials: made, ...summarizeTrials(made, recorded.planned) };
  return { folder, trials, runs, ...compareTrials(recorded, trials) };
}
