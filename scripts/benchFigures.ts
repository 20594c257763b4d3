import { max, median, min } from "simple-statistics";
import type { Trials } from "../lab/evidence/trials.ts";
import type { CaptureRound } from "./benchCapture.ts";
import type { Round } from "./benchRound.ts";

/** A number that was measured, in words, and whether it is within what the project promises of itself. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  readonly allowed?: string;
  readonly holds: boolean;
}

const mostColdToBare = 4;
const leastColdToWarm = 10;
const mostRunningMs = 1_500;
const mostWarmAnswerMs = 6_000;
const mostMemoryBytes = 600e6;
const mostDiskBytes = 700e6;
/** What a capture may cost of the forwarding rate. */
const mostCaptureCost = 0.1;
const mostTrialMs = 30_000;
/** Over all trials together, the last may cost so much more or less than the first. */
const mostDrift = 0.1;

/** Rounds against what is allowed. Times are compared by ratios within a round. */
export function judgeRounds(rounds: readonly Round[]): Figure[] {
  const all = (pick: (round: Round) => number): number[] => rounds.map(pick);
  const coldToBare = all((round) => round.coldReadyMs / round.bareMs);
  const coldToWarm = all((round) => round.coldAnswerMs / round.warmAnswerMs);
  const figure = (what: string, values: number[], unit: (value: number) => string, limit?: { most?: number; least?: number; by: (values: number[]) => number }): Figure => {
    const measured = `median ${unit(median(values))} (${unit(min(values))} – ${unit(max(values))})`;
    if (limit === undefined) return { what, measured, holds: true };
    const { most = Infinity, least = -Infinity, by } = limit;
    return { what, measured, allowed: most === Infinity ? `at least ${unit(least)}` : `at most ${unit(most)}`, holds: by(values) <= most && by(values) >= least };
  };
  return [
    figure("four bare kernels to their first process", all((round) => round.bareMs), seconds),
    figure("cold, to ready", all((round) => round.coldReadyMs), seconds),
    figure("cold ready ÷ bare", coldToBare, times, { most: mostColdToBare, by: median }),
    figure("cold, until all four answered a command", all((round) => round.coldAnswerMs), seconds),
    figure("saved, from running to files", all((round) => round.saveMs), seconds),
    figure("restored, until running", all((round) => round.runningMs), seconds, { most: mostRunningMs, by: median }),
    figure("restored, until all four answered a command", all((round) => round.warmAnswerMs), seconds, { most: mostWarmAnswerMs, by: median }),
    figure("cold ÷ warm, until all four answered", coldToWarm, times, { least: leastColdToWarm, by: median }),
    figure("memory of the largest machine", all((round) => round.memoryBytes), megabytes, { most: mostMemoryBytes, by: max }),
    figure("disk of a snapshot", all((round) => round.diskBytes), megabytes, { most: mostDiskBytes, by: max }),
  ];
}

/** What a capture costs of the rate at which the pair forwards: ratios are of one round each. @throws RangeError without rounds. */
export function judgeCapture(rounds: readonly CaptureRound[]): Figure[] {
  const costs = rounds.map(({ bareRate, capturedRate }) => 1 - capturedRate / bareRate);
  const dropped = rounds.reduce((sum, round) => sum + round.dropped, 0);
  const spread = (values: number[], unit: (value: number) => string) => `median ${unit(median(values))} (${unit(min(values))} – ${unit(max(values))})`;
  return [
    { what: "one TCP connection through the pair", measured: spread(rounds.map(({ bareRate }) => bareRate), rate), holds: true },
    { what: "what a capture costs of that", measured: spread(costs, percent), allowed: `at most ${percent(mostCaptureCost)}`, holds: median(costs) <= mostCaptureCost },
    { what: "captured meanwhile", measured: `${rounds.reduce((sum, { packets }) => sum + packets, 0)} packets, ${dropped} dropped`, allowed: "0 dropped", holds: dropped === 0 },
  ];
}

/** What trials cost, and whether all passed. @throws RangeError when none has a cost. */
export function judgeTrials({ planned, flows, summary: { counts, trialMs, costSlopeMsPerTrial, outageMs } }: Trials): Figure[] {
  if (trialMs === null) throw new RangeError("no trial has a cost");
  const drift = ((costSlopeMsPerTrial ?? 0) * (planned - 1)) / trialMs.median;
  return [
    { what: `trials with ${flows} flows`, measured: `${counts.pass} of ${planned} passed, ${counts.fail} failed, ${counts.invalid} invalid`, allowed: "all pass", holds: counts.pass === planned },
    {
      what: "a trial, from restore to verdict",
      measured: `median ${seconds(trialMs.median)} (${seconds(trialMs.min)} – ${seconds(trialMs.max)})`,
      allowed: `at most ${seconds(mostTrialMs)}`,
      holds: trialMs.median <= mostTrialMs,
    },
    {
      what: "cost from the first trial to the last, by least squares",
      measured: `${(drift * 100).toFixed(1)} % of the median`,
      allowed: `at most ${mostDrift * 100} % either way`,
      holds: Math.abs(drift) <= mostDrift,
    },
    { what: "network's outage", measured: outageMs === null ? "none told" : `median ${seconds(outageMs.median)} (${seconds(outageMs.min)} – ${seconds(outageMs.max)})`, holds: outageMs !== null },
  ];
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

function rate(bytesPerSecond: number): string {
  return `${((bytesPerSecond * 8) / 1e6).toFixed(0)} Mbit/s`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function times(ratio: number): string {
  return ratio.toFixed(2);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
