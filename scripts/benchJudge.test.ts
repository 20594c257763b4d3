import { expect, test } from "vitest";
import { judgeJudging, type JudgingCost } from "./benchJudge.ts";

const costs = (...costMs: number[]): JudgingCost[] => costMs.map((each, index) => ({ flows: [50, 200, 1_000][index] ?? 0, packets: 1, costMs: each }));
const missed = (...costMs: number[]): string[] => judgeJudging(costs(...costMs)).filter(({ holds }) => !holds).map(({ what }) => what);

test("a cost that grows with the flows is within what is allowed", () => {
  expect(missed(100, 400, 2_000)).toEqual([]);
});

test("a cost that grows with their square is not, nor is one that is over the limits", () => {
  expect(missed(100, 400, 10_000)).toEqual(["cost of a flow among 1000 ÷ among 200"]);
  expect(missed(5_001, 7_000, 29_000)).toEqual(["judging and reporting 50 flows and 1 packets"]);
  expect(missed(1_000, 7_000, 30_001)).toEqual(["judging and reporting 1000 flows and 1 packets"]);
});

test("too few runs tell nothing", () => {
  expect(() => judgeJudging(costs(100))).toThrow(RangeError);
});
