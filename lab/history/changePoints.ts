import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { mersenne } from "pure-rand/generator/mersenne";
import { mean, median, medianAbsoluteDeviation, shuffle, sum } from "simple-statistics";

/** Where a series changed. */
export interface ChangePoint {
  /** The first value of what came after. */
  readonly index: number;
  /** How probable a change as clear somewhere in a series of the same values in random order is. */
  readonly p: number;
}

/** One in a hundred series that did not change may be said to have: a page shows ten metrics of several series, night after night. */
const alpha = 0.01;
const rearrangements = 999;

/** Fewer nights than these are no level: two slow nights are two slow nights. */
const shortest = 3;

/** Values further from the median than so many times the middle distance from it weigh no more than those that are as far. */
const furthest = 5;

/** The same series gives the same answer, everywhere. */
const seed = 20_260_102;

/**
 * Finds where a series of nights changed its level, as E-divisive does (Matteson and James, 2014; MongoDB watches its nightly figures so): asks whether
 * hardly any rearrangement of the same values can be cut in two as clearly as the series itself; cuts it where both sides lie closest around their own
 * medians; and looks at both sides in the same way. Only the order of the values is judged, never their form: one absurd night, or two modes that
 * take turns, are no change.
 */
export function changePoints(values: readonly number[]): ChangePoint[] {
  const random = mersenne(seed);
  const found: ChangePoint[] = [];
  const search = (from: number, until: number): void => {
    const segment = values.slice(from, until);
    if (segment.length < 2 * shortest) return;
    const centred = withinReach(segment);
    const seen = clarityOf(centred);
    if (seen === 0) return;
    let asClear = 0;
    for (let count = 0; count < rearrangements; count += 1) {
      if (clarityOf(shuffle(centred, () => uniformFloat64(random))) >= seen) asClear += 1;
    }
    const p = (asClear + 1) / (rearrangements + 1);
    const at = bestCut(segment);
    if (p > alpha || at < shortest || segment.length - at < shortest) return;
    search(from, from + at);
    found.push({ index: from + at, p });
    search(from + at, until);
  };
  search(0, values.length);
  return found;
}

/** The values around their mean, once those far out were brought near: an absurd night shall not hide a change elsewhere. */
function withinReach(values: readonly number[]): number[] {
  const all = [...values];
  const middle = median(all);
  // Where more than half are equal, the middle distance is 0, and the mean one tells.
  const spread = medianAbsoluteDeviation(all) || mean(all.map((value) => Math.abs(value - middle)));
  const near = all.map((value) => Math.min(Math.max(value, middle - furthest * spread), middle + furthest * spread));
  const centre = mean(near);
  return near.map((value) => value - centre);
}

/** How clearly values around 0 can be cut in two: the largest difference of both sides' means, against how far chance alone would leave them apart. */
function clarityOf(centred: readonly number[]): number {
  const { length } = centred;
  let [clarity, left] = [0, 0];
  for (let at = 1; at <= length - shortest; at += 1) {
    left += centred[at - 1] ?? 0;
    if (at >= shortest) clarity = Math.max(clarity, Math.abs(left) / Math.sqrt(at * (length - at)));
  }
  // To nine digits, so that equal arrangements are equal whatever the order of the sums.
  return Number(clarity.toPrecision(9));
}

/** The cut that leaves the values closest to the median of their own side. */
function bestCut(values: readonly number[]): number {
  const cost = (side: number[]) => {
    const middle = median(side);
    return sum(side.map((value) => Math.abs(value - middle)));
  };
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (let at = 1; at < values.length; at += 1) {
    const here = cost(values.slice(0, at)) + cost(values.slice(at));
    if (here < least) [best, least] = [at, here];
  }
  return best;
}
