import { describe, expect, test } from "vitest";
import { strikeOffsets } from "./strikeOffsets.ts";

/** Which of the equal strata an offset lies in. */
const stratumOf = (offsetMs: number, count: number, spreadMs: number) => Math.floor((Math.round(offsetMs * 1000) * count) / (spreadMs * 1000));

const ascending = (a: number, b: number) => a - b;

describe.each([
  [1, 1],
  [1, 1000],
  [2, 1],
  [3, 1000],
  [7, 100],
  [20, 1000],
  [999, 997],
  [1000, 1],
  [1000, 60_000],
])("%i trials over %i ms", (count, spreadMs) => {
  test.each([0, 1, 42, 2 ** 31, 2 ** 32 - 1])("seed %i: one in each stratum, all within the window", (seed) => {
    const offsets = strikeOffsets({ count, spreadMs, seed });
    expect(offsets.every((offset) => offset >= 0 && offset < spreadMs)).toBe(true);
    expect(offsets.map((offset) => stratumOf(offset, count, spreadMs)).sort(ascending)).toEqual(Array.from({ length: count }, (_, stratum) => stratum));
  });
});

test("the same seed gives the same offsets everywhere: as counted by another program of the same generator (MT19937)", () => {
  expect(strikeOffsets({ count: 5, spreadMs: 1000, seed: 42 })).toEqual([242.419, 806.378, 730.062, 121.19, 403.228]);
  expect(strikeOffsets({ count: 5, spreadMs: 1000, seed: 4_294_967_295 })).toEqual([10.019, 665.991, 230.626, 997.172, 570.828]);
});

test("another seed gives other offsets, and neighbouring seeds no neighbouring ones", () => {
  const count = 20;
  const firsts = Array.from({ length: 50 }, (_, seed) => stratumOf(strikeOffsets({ count, spreadMs: 1000, seed })[0] ?? 0, count, 1000));
  expect(new Set(firsts).size).toBeGreaterThan(count / 2);
  const steps = firsts.slice(1).map((first, index) => Math.abs(first - (firsts[index] ?? 0)));
  expect(steps.filter((step) => step === 1).length).toBeLessThan(steps.length / 3);
});

test("the strata are shuffled, and an offset lies anywhere in its stratum", () => {
  const count = 1000;
  const offsets = strikeOffsets({ count, spreadMs: 1000, seed: 7 });
  expect(offsets).not.toEqual(offsets.toSorted(ascending));
  const within = offsets.map((offset) => offset % 1);
  expect(within.reduce((sum, part) => sum + part, 0) / count).toBeCloseTo(0.5, 1);
  expect(Math.min(...within)).toBeLessThan(0.02);
  expect(Math.max(...within)).toBeGreaterThan(0.98);
});

test("without a spread every trial strikes at once", () => {
  expect(strikeOffsets({ count: 3, spreadMs: 0, seed: 1 })).toEqual([0, 0, 0]);
});

test.each([
  [{ count: 0, spreadMs: 1000, seed: 1 }, "count"],
  [{ count: 1.5, spreadMs: 1000, seed: 1 }, "count"],
  [{ count: 1, spreadMs: -1, seed: 1 }, "spreadMs"],
  [{ count: 1, spreadMs: 0.5, seed: 1 }, "spreadMs"],
  [{ count: 1, spreadMs: Number.NaN, seed: 1 }, "spreadMs"],
  [{ count: 1, spreadMs: 1000, seed: -1 }, "seed"],
  [{ count: 1, spreadMs: 1000, seed: 2 ** 32 }, "seed"],
  [{ count: 1001, spreadMs: 1, seed: 1 }, "strata"],
])("%j is refused", (options, named) => {
  expect(() => strikeOffsets(options)).toThrow(RangeError);
  expect(() => strikeOffsets(options)).toThrow(named);
});
