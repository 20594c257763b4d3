import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { mersenne } from "pure-rand/generator/mersenne";
import { median, permutationTest } from "simple-statistics";

/** How two samples differ: `next` against `base`. */
export interface Difference {
  /** Median of all differences between a value of `next` and one of `base` (Hodges and Lehmann, 1963), in the unit of the samples. */
  readonly shift: number;
  /** Cliff's delta (1993), from -1 to 1: how much more often a value of `next` is above one of `base` than below it. */
  readonly effect: number;
  /** Two-sided probability of ranks that differ as much or more, were both drawn alike. Never 0. */
  readonly p: number;
}

/** Rearrangements that a p value is estimated by: at p 0.01 its standard error is 0.001. */
const rearrangements = 10_000;

/** The same samples give the same p value, everywhere. */
const seed = 20_260_101;

/**
 * Compares two samples that are few, of no known form and perhaps bimodal. The test rearranges the mid-ranks of all values (Wilcoxon's rank sum as
 * a permutation test, with simple-statistics' `permutationTest`): it assumes no distribution, holds at any size, takes ties as they are,
 * and one absurd value weighs no more than the largest rank. Tables of Wilcoxon's normal approximation, and Kruskal and Wallis' chi-square,
 * are only good from some ten values a side on. @throws RangeError when a sample is empty or holds what is no finite number.
 */
export function differenceOf(base: readonly number[], next: readonly number[]): Difference {
  if (base.length === 0 || next.length === 0 || ![...base, ...next].every(Number.isFinite)) throw new RangeError("both samples need finite numbers");
  const differences = next.flatMap((value) => base.map((other) => value - other));
  const effect = differences.reduce((sum, difference) => sum + Math.sign(difference), 0) / differences.length;
  return { shift: median(differences), effect: effect + 0, p: rankP(base, next) };
}

function rankP(base: readonly number[], next: readonly number[]): number {
  // Twice the ranks, times both sizes: all means are whole numbers then, and a tie between two rearrangements is not lost to rounding.
  const ranks = midRanks([...base, ...next]).map((rank) => rank * 2 * base.length * next.length);
  const random = mersenne(seed);
  const p = permutationTest(ranks.slice(0, base.length), ranks.slice(base.length), "two_side", rearrangements, () => uniformFloat64(random));
  // The arrangement that was seen is one of them (Phipson and Smyth, 2010).
  return (p * rearrangements + 1) / (rearrangements + 1);
}

/** The rank of each value among all, from 1; equal ones have the mean of theirs. */
export function midRanks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = values.map(() => 0);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1] ?? 0] === values[order[first] ?? 0]) last += 1;
    for (let place = first; place <= last; place += 1) ranks[order[place] ?? 0] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return ranks;
}

/** The smallest p that samples of these sizes can have, with what chance in its estimate may add to it (three standard errors). */
function leastP(sizeA: number, sizeB: number): number {
  // The binomial coefficient, factor by factor: it may grow beyond what is told apart from infinity, and the least p is 0 then.
  let arrangements = 1;
  for (let place = 1; place <= sizeA; place += 1) arrangements *= (sizeB + place) / place;
  const least = Math.min(1, 2 / arrangements);
  return least + 3 * Math.sqrt((least * (1 - least)) / rearrangements) + 1 / rearrangements;
}

/** Whether samples of these sizes can be told apart at level `alpha` at all, when `tests` of a family are corrected for. */
export function canBeTold(sizeA: number, sizeB: number, tests: number, alpha: number): boolean {
  return sizeA > 0 && sizeB > 0 && leastP(sizeA, sizeB) * tests <= alpha;
}

/** How many values each side needs at least, so that they can be told apart at all. */
export function neededEach(tests: number, alpha: number): number {
  let size = 2;
  while (!canBeTold(size, size, tests, alpha)) size += 1;
  return size;
}

/** P values of a family as Holm (1979) corrects them for their number, in the order given: the chance that any of them is a false alarm stays below the level. */
export function holm(values: readonly number[]): number[] {
  const corrected = values.map(() => 0);
  let largest = 0;
  for (const [place, index] of values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0)).entries()) {
    largest = Math.min(1, Math.max(largest, (values[index] ?? 1) * (values.length - place)));
    corrected[index] = largest;
  }
  return corrected;
}
