import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { mersenne } from "pure-rand/generator/mersenne";
import { describe, expect, test } from "vitest";
import { changePoints } from "./changePoints.ts";
import { recordedTrials } from "./trialsFixture.ts";

/** Nights as the recorded trials were: drawn from them, with the seed given. */
function nights(count: number, seed: number, metric: "networkMs" | "stallMs" = "networkMs"): number[] {
  const values = recordedTrials("trials-20").trials.flatMap(({ outage }) => (metric === "networkMs" ? (outage?.networkMs ?? []) : (outage?.stalls?.max ?? [])));
  const random = mersenne(seed);
  return Array.from({ length: count }, () => values[Math.floor(uniformFloat64(random) * values.length)] ?? 0);
}

const stepped = (values: readonly number[], at: number, by: number) => values.map((value, index) => (index < at ? value : value + by));
const placesOf = (values: readonly number[]) => changePoints(values).map(({ index }) => index);

describe("a step", () => {
  test.each([
    [30, 15],
    [30, 27],
    [30, 3],
    [12, 6],
    [120, 100],
  ])("in %i nights is found at night %i, and nowhere else", (count, at) => {
    expect(placesOf(stepped(nights(count, 1), at, 6000))).toEqual([at]);
  });

  test("up and down again is two changes", () => {
    expect(placesOf(stepped(stepped(nights(45, 2), 15, 6000), 30, -6000))).toEqual([15, 30]);
  });

  test("of half a second, within the spread of the nights, is found near where it was", () => {
    const [place = Number.NaN, ...more] = placesOf(stepped(nights(60, 3), 30, 500));
    expect(Math.abs(place - 30)).toBeLessThanOrEqual(3);
    expect(more).toEqual([]);
  });
});

describe("none", () => {
  const found = (series: (seed: number) => number[]) => Array.from({ length: 100 }, (_, seed) => changePoints(series(seed + 10)).length > 0).filter(Boolean).length;

  test("in nights that differ by chance: one series in a hundred, as the level says", () => {
    expect(found((seed) => nights(30, seed))).toBeLessThanOrEqual(4);
  });

  test("in nights of two modes, TCP's back-off now and then", () => {
    expect(found((seed) => nights(30, seed, "stallMs"))).toBeLessThanOrEqual(4);
    expect(placesOf(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 3900 : 8100)))).toEqual([]);
  });

  test("for one absurd night, for two slow ones, in a flat series, in a short one", () => {
    const one = nights(30, 4);
    one[15] = 1e9;
    expect(placesOf(one)).toEqual([]);
    expect(placesOf(stepped(nights(30, 4), 28, 6000))).toEqual([]);
    expect(placesOf(Array.from({ length: 50 }, () => 3500))).toEqual([]);
    expect(placesOf([1, 1, 9, 9, 9])).toEqual([]);
    expect(placesOf([])).toEqual([]);
  });
});

test("the same series gives the same answer", () => {
  const values = stepped(nights(40, 5), 20, 700);
  expect(changePoints(values)).toEqual(changePoints(values));
});
