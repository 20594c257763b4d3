import { describe, expect, test } from "vitest";
import { healthyTrials } from "../lab/judge/healthyTrials.ts";
import { summarizeTrials } from "../lab/judge/trialsSummary.ts";
import { judgeCapture, judgeRounds, judgeTrials } from "./benchFigures.ts";
import type { Round } from "./benchRound.ts";

const round: Round = { bareMs: 3_500, coldReadyMs: 13_000, coldAnswerMs: 14_000, saveMs: 200, runningMs: 200, warmAnswerMs: 1_300, memoryBytes: 380e6, diskBytes: 500e6 };

/** Names of figures that miss. */
function misses(change: Partial<Round>): string[] {
  return judgeRounds([round, { ...round, ...change }, { ...round, ...change }])
    .filter(({ holds }) => !holds)
    .map(({ what }) => what);
}

describe("rounds against what is allowed", () => {
  test("all hold", () => expect(misses({})).toEqual([]));

  test.each([
    [{ coldReadyMs: 14_100 }, "cold ready ÷ bare"],
    [{ runningMs: 1_501 }, "restored, until running"],
    [{ warmAnswerMs: 1_401 }, "cold ÷ warm, until all four answered"],
    [{ memoryBytes: 600e6 + 1 }, "memory of the largest machine"],
    [{ diskBytes: 700e6 + 1 }, "disk of a snapshot"],
  ])("%o misses", (change, what) => expect(misses(change)).toEqual([what]));

  test("ratios are of one round each: a slow minute that meets all alike is none of ours", () => {
    expect(misses({ bareMs: 7_000, coldReadyMs: 26_000, coldAnswerMs: 28_000, warmAnswerMs: 2_600 })).toEqual([]);
  });
});

describe("a capture against what it may cost", () => {
  const rounds = (ratio: number, dropped = 0) => [1, 2, 3].map((number) => ({ bareRate: number * 1e7, capturedRate: number * 1e7 * ratio, packets: 1_000, dropped }));
  const missed = (...args: Parameters<typeof rounds>) => judgeCapture(rounds(...args)).filter(({ holds }) => !holds).map(({ what }) => what);

  test("a tenth of the rate of each round, however fast the round", () => {
    expect(missed(0.91)).toEqual([]);
    expect(missed(0.89)).toEqual(["what a capture costs of that"]);
  });

  test("a round that something else slowed is not what the capture costs", () => {
    expect(judgeCapture([...rounds(0.95), { bareRate: 1e7, capturedRate: 1e6, packets: 1, dropped: 0 }]).every(({ holds }) => holds)).toBe(true);
  });

  test("nothing is dropped in any round", () => expect(missed(1, 1)).toEqual(["captured meanwhile"]));
});

describe("trials against what is allowed", () => {
  const judged = (trials: ReturnType<typeof healthyTrials>, planned = trials.length) =>
    judgeTrials({ ...base, planned, trials: [...trials], ...summarizeTrials(trials, planned) }).filter(({ holds }) => !holds);
  const base = {
    schema: 1 as const,
    id: "trials",
    topology: "primary-backup",
    config: { path: "tree", overlays: [], sha256: "0".repeat(64) },
    fault: { id: "power-cut", target: "fw-1" },
    versions: {},
    host: { accelerator: "tcg" as const, accelReason: "asked for", cores: 2, qemu: "7.2", guestKernel: "6.1" },
    flows: 50,
    seed: 1,
    spreadMs: 1_000,
  };

  test("all hold", () => expect(judged(healthyTrials(20))).toEqual([]));

  test("one that is missing, one that costs too much, and a cost that grows", () => {
    expect(judged(healthyTrials(20), 21).map(({ what }) => what)).toEqual(["trials with 50 flows"]);
    const costing = (totalMs: (number: number) => number) => healthyTrials(20).map((trial) => ({ ...trial, durations: { totalMs: totalMs(trial.number) } }));
    expect(judged(costing(() => 31_000)).map(({ what }) => what)).toEqual(["a trial, from restore to verdict"]);
    expect(judged(costing((number) => 20_000 + number * 200)).map(({ what }) => what)).toEqual(["cost from the first trial to the last, by least squares"]);
  });
});
