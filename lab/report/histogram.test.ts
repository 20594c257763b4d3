import { describe, expect, test } from "vitest";
import { barLines, binsOf } from "./histogram.ts";

describe("bins", () => {
  test.each([
    [[], []],
    [[0], [[0, 1, 1]]],
    [[3000, 3000, 3000], [[3000, 3001, 3]]],
    // Ten apart at most is a bin each; one more, and bins of two.
    [[10, 19], [[10, 11, 1], ...range(11, 19).map((from) => [from, from + 1, 0]), [19, 20, 1]]],
    [[10, 20], [[10, 12, 1], [12, 14, 0], [14, 16, 0], [16, 18, 0], [18, 20, 0], [20, 22, 1]]],
    // A value at an edge is in the upper bin.
    [[2899, 2900, 2949, 2950, 3200], [[2850, 2900, 1], [2900, 2950, 2], [2950, 3000, 1], [3000, 3050, 0], [3050, 3100, 0], [3100, 3150, 0], [3150, 3200, 0], [3200, 3250, 1]]],
    [[0.4, 0.6, 1.2], [[0, 1, 2], [1, 2, 1]]],
  ])("of %j", (values, expected) => {
    expect(binsOf(values)).toEqual(expected.map(([from, until, count]) => ({ from, until, count })));
  });

  test.each([1, 7, 99, 100, 101, 12_345, 60_000_000])("%i ms apart: ten at most, without a gap, each value in one", (span) => {
    const values = Array.from({ length: 200 }, (_, index) => 2987 + Math.round((span * index) / 199));
    const bins = binsOf(values);
    expect(bins.length).toBeLessThanOrEqual(10);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(200);
    for (const [index, { from, until, count }] of bins.entries()) {
      expect(values.filter((value) => value >= from && value < until)).toHaveLength(count);
      expect(from).toBe(index === 0 ? from : bins[index - 1]?.until);
    }
    expect(bins[0]?.count).toBeGreaterThan(0);
    expect(bins.at(-1)?.count).toBeGreaterThan(0);
  });
});

describe("bars", () => {
  test("are as long as the counts when there is room", () => {
    expect(barLines([{ label: "1 - 2", count: 3 }, { label: "3", count: 0 }, { label: "4", count: 12 }], 80)).toEqual(["1 - 2  3 ###", "    3  0", "    4 12 ############"]);
  });

  test("shrink to the room, and what is there is seen", () => {
    const lines = barLines([{ label: "a", count: 1000 }, { label: "b", count: 500 }, { label: "c", count: 1 }, { label: "d", count: 0 }], 27);
    expect(lines).toEqual([`a 1000 ${"#".repeat(20)}`, `b  500 ${"#".repeat(10)}`, "c    1 #", "d    0"]);
  });

  test("none", () => {
    expect(barLines([], 80)).toEqual([]);
    expect(barLines([{ label: "a", count: 0 }], 80)).toEqual(["a 0"]);
  });
});

function range(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}
