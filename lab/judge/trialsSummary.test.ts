import { describe, expect, test } from "vitest";
import { trialsSummarySchema, type Trial } from "../evidence/trials.ts";
import { healthyTrial, healthyTrials, invalidTrial, outage, unresumedTrial } from "./healthyTrials.ts";
import { summarizeTrials } from "./trialsSummary.ts";

function summarized(trials: readonly Trial[], planned = trials.length) {
  const told = summarizeTrials(trials, planned);
  expect(trialsSummarySchema.parse(told.summary)).toEqual(told.summary);
  expect(told.reason).not.toMatch(/\n|undefined|NaN|null/u);
  return told;
}

describe("all trials pass", () => {
  test("twenty: the distributions are over all of them", () => {
    const { summary, verdict, reason } = summarized(healthyTrials(20));
    expect(verdict).toBe("pass");
    expect(reason).toBe("all 20 trials passed: 1000 of 1000 flows survived, the network's own outage was 3200 ms at most");
    expect(summary).toEqual({
      counts: { pass: 20, fail: 0, invalid: 0 },
      neverResumed: 0,
      outageMs: { min: 3010, median: 3105, p95: 3191, max: 3200, trials: 20 },
      longestStallMs: { min: 4010, median: 4105, p95: 4191, max: 4200, trials: 20 },
      flowsSurvived: { survived: 1000, of: 1000 },
      trialMs: { min: 12_000, median: 12_000, p95: 12_000, max: 12_000, trials: 20 },
      costSlopeMsPerTrial: 0,
    });
  });

  test("one: it is its own distribution, and its cost has no slope", () => {
    const { summary, verdict } = summarized(healthyTrials(1));
    expect(verdict).toBe("pass");
    expect(summary).toMatchObject({ outageMs: { min: 3010, median: 3010, p95: 3010, max: 3010, trials: 1 }, costSlopeMsPerTrial: null, trialMs: { trials: 1 } });
  });

  test("without a UDP flow there is no outage of the network, and the stalls are told", () => {
    const { summary, verdict, reason } = summarized(healthyTrials(3).map((trial) => ({ ...trial, outage: outage(3000, { networkMs: null }) })));
    expect(summary).toMatchObject({ outageMs: null, longestStallMs: { max: 4000, trials: 3 } });
    expect({ verdict, reason }).toEqual({ verdict: "pass", reason: "all 3 trials passed: 150 of 150 flows survived" });
  });
});

describe("a trial that fails", () => {
  test("makes the whole fail, and is named with its checks", () => {
    const { verdict, reason, summary } = summarized([...healthyTrials(18), healthyTrial(19, { verdict: "fail", failedChecks: ["no-drops-on-survivor"] })]);
    expect(verdict).toBe("fail");
    expect(reason).toBe("1 of 19 trials failed: trial 19 by no-drops-on-survivor");
    // Its flows resumed, so its outage counts.
    expect(summary).toMatchObject({ counts: { pass: 18, fail: 1 }, outageMs: { max: 3190, trials: 19 }, neverResumed: 0 });
  });

  test("with a flow that never resumed makes no distribution look better, and is told beside them", () => {
    const without = summarized(healthyTrials(9)).summary;
    const { verdict, reason, summary } = summarized([...healthyTrials(9), unresumedTrial(10)]);
    expect(summary.outageMs).toEqual(without.outageMs);
    expect(summary.longestStallMs).toEqual(without.longestStallMs);
    expect(summary).toMatchObject({ counts: { pass: 9, fail: 1, invalid: 0 }, neverResumed: 1, outageMs: { trials: 9 }, flowsSurvived: { survived: 498, of: 500 }, trialMs: { trials: 10 } });
    expect({ verdict, reason }).toEqual({ verdict: "fail", reason: "1 of 10 trials failed: trial 10 by flows-survive, outage-in-bound; in 1 a flow never resumed" });
  });

  test("in every trial a flow never resumed: no distribution at all", () => {
    expect(summarized([unresumedTrial(1), unresumedTrial(2)])).toMatchObject({ verdict: "fail", summary: { neverResumed: 2, outageMs: null, longestStallMs: null } });
  });

  test("outweighs an invalid one, which is told too", () => {
    const { verdict, reason } = summarized([invalidTrial(1), unresumedTrial(2), healthyTrial(3)]);
    expect(verdict).toBe("fail");
    expect(reason).toMatch(/^1 of 3 trials failed: trial 2 by .*; 1 invalid: trial 1, host-health/u);
  });
});

describe("an invalid trial", () => {
  test("is no pass, and its figures are in no distribution", () => {
    const without = summarized(healthyTrials(9)).summary;
    const { verdict, reason, summary } = summarized([...healthyTrials(9), invalidTrial(10)]);
    expect(summary).toEqual({ ...without, counts: { pass: 9, fail: 0, invalid: 1 } });
    expect(verdict).toBe("invalid");
    expect(reason).toMatch(/^9 of 10 trials passed, and none failed, but 1 invalid: trial 10, host-health/u);
  });

  test("with a flow that never resumed is not counted among those", () => {
    const trial = { ...unresumedTrial(2), verdict: "invalid" as const };
    expect(summarized([healthyTrial(1), trial]).summary).toMatchObject({ neverResumed: 0, flowsSurvived: { survived: 50, of: 50 } });
  });

  test("when all are, there is nothing to tell but that", () => {
    const { verdict, summary } = summarized([invalidTrial(1), { ...invalidTrial(2), outage: null, survived: 0, flows: 0, durations: {} }]);
    expect(verdict).toBe("invalid");
    expect(summary).toEqual({ counts: { pass: 0, fail: 0, invalid: 2 }, neverResumed: 0, outageMs: null, longestStallMs: null, flowsSurvived: { survived: 0, of: 0 }, trialMs: null, costSlopeMsPerTrial: null });
  });
});

describe("trials that were not made", () => {
  test("cannot pass", () => {
    expect(summarized(healthyTrials(13), 20)).toMatchObject({ verdict: "invalid", reason: "13 of 20 trials passed, and none failed, but 7 not made" });
    expect(summarized([], 20)).toMatchObject({ verdict: "invalid", reason: "0 of 20 trials passed, and none failed, but 20 not made", summary: { outageMs: null, trialMs: null } });
    expect(summarized([], 0).verdict).toBe("invalid");
  });

  test("do not hide one that failed", () => {
    expect(summarized([unresumedTrial(1)], 2)).toMatchObject({ verdict: "fail", reason: "1 of 2 trials failed: trial 1 by flows-survive, outage-in-bound; in 1 a flow never resumed; 1 not made" });
  });
});

describe("the cost", () => {
  const costing = (totals: readonly (number | undefined)[]) => totals.map((totalMs, index) => healthyTrial(index + 1, { durations: totalMs === undefined ? {} : { totalMs } }));

  test.each([
    [[10_000, 10_000, 10_000], 0],
    [[10_000, 10_250, 10_500, 10_750], 250],
    [[10_000, 9_000], -1000],
    [[10_000, 10_001, 10_000, 10_001], 0.2],
    [[10_001, 10_000.9, 10_001], 0],
    [[10_000, undefined, 10_500], 250],
    [[undefined, 10_000], null],
  ])("of trials that took %j ms grows by %j ms a trial", (totals, slope) => {
    expect(summarized(costing(totals)).summary.costSlopeMsPerTrial).toBe(slope);
  });

  test("is over the trials' numbers, in whatever order they are listed", () => {
    const trials = costing([10_000, 10_100, 10_200, 10_300]);
    expect(summarized(trials.toReversed())).toEqual(summarized(trials));
    // Trial 2 is invalid: from 1 to 3 it is still two trials' growth.
    expect(summarized([...costing([10_000]), invalidTrial(2), healthyTrial(3, { durations: { totalMs: 10_200 } })]).summary.costSlopeMsPerTrial).toBe(100);
  });
});

test("many failed trials make one line", () => {
  const { reason } = summarized(Array.from({ length: 1000 }, (_, index) => unresumedTrial(index + 1)));
  expect(reason).toContain("1000 of 1000 trials failed: trial 1 by flows-survive");
  expect(reason).toContain("and 997 more");
  expect(reason.length).toBeLessThan(300);
});
