import { describe, expect, test } from "vitest";
import { canBeTold, differenceOf, holm, midRanks, neededEach } from "./significance.ts";

const inOrder = (count: number, first = 1) => Array.from({ length: count }, (_, index) => first + index);

describe("the p value", () => {
  // Exact two-sided values of the rank sum test. Source: all arrangements, counted by hand: 2 of C(n + m, n) leave two samples wholly apart.
  test.each([
    [3, 3, 2 / 20],
    [4, 4, 2 / 70],
    [5, 5, 2 / 252],
    [5, 20, 2 / 53_130],
    [1, 1, 1],
    [1, 9, 2 / 10],
  ])("of %i values below %i others", (below, above, exact) => {
    const { p } = differenceOf(inOrder(below), inOrder(above, 100));
    expect(Math.abs(p - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / 10_000) + 0.0001);
    expect(differenceOf(inOrder(above, 100), inOrder(below)).p).toBeCloseTo(p, 2);
  });

  test("is that of the ranks: an absurd value is no more than the largest", () => {
    expect(differenceOf(inOrder(5), [6, 7, 8, 9, 1e9]).p).toBe(differenceOf(inOrder(5), [6, 7, 8, 9, 10]).p);
  });

  test("of equal samples is 1, and of ties what arrangements with ties make of it", () => {
    expect(differenceOf([7, 7, 7], [7, 7])).toEqual({ shift: 0, effect: 0, p: 1 });
    // Fisher's exact test: 5 of 5 against 0 of 5 is 2 / 252; 1 of 5 against 0 of 5 is 1.
    expect(differenceOf([0, 0, 0, 0, 0], [1, 1, 1, 1, 1]).p).toBeCloseTo(2 / 252, 2);
    expect(differenceOf([0, 0, 0, 0, 0], [1, 0, 0, 0, 0]).p).toBe(1);
  });

  test("is the same each time, and never 0", () => {
    const [base, next] = [inOrder(30), inOrder(30, 100)];
    expect(differenceOf(base, next)).toEqual(differenceOf(base, next));
    expect(differenceOf(base, next).p).toBeGreaterThan(0);
  });
});

test("shift is the median of all differences, effect how often the one is above the other", () => {
  expect(differenceOf([1, 2, 3], [11, 12, 13])).toMatchObject({ shift: 10, effect: 1 });
  expect(differenceOf([11, 12, 13], [1, 2, 3])).toMatchObject({ shift: -10, effect: -1 });
  // 2 is above 1, below 3: half and half.
  expect(differenceOf([1, 3], [2])).toMatchObject({ shift: 0, effect: 0 });
});

test.each([[[], [1]], [[1], []], [[1], [Number.NaN]], [[Number.POSITIVE_INFINITY], [1]]])("%j against %j are no samples", (base, next) => {
  expect(() => differenceOf(base, next)).toThrow(RangeError);
});

test("equal values have the mean of their ranks", () => {
  expect(midRanks([30, 10, 20, 10])).toEqual([4, 1.5, 3, 1.5]);
  expect(midRanks([])).toEqual([]);
});

test("how many are needed follows from the arrangements that there are", () => {
  // 3 and 3 have 20 arrangements: never below 0.1.
  expect(canBeTold(3, 3, 1, 0.05)).toBe(false);
  expect(canBeTold(4, 4, 1, 0.05)).toBe(true);
  expect([1, 3, 6].map((tests) => neededEach(tests, 0.05))).toEqual([4, 5, 6]);
  expect(canBeTold(1, 1000, 1, 0.05)).toBe(true);
  expect(canBeTold(1, 20, 1, 0.05)).toBe(false);
  expect(canBeTold(0, 20, 1, 0.05)).toBe(false);
});

test("Holm's correction: the smallest times all, the next times one less, never falling", () => {
  // Source: Holm (1979), and R's p.adjust(c(0.01, 0.04, 0.03), "holm").
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(holm([0.6, 0.5])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
