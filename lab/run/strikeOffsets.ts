import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";

export interface StrikeOffsetsOptions {
  /** How many trials, from 1 on. */
  readonly count: number;
  /** Length of the window that the strikes are spread over, in whole milliseconds; 0 lets every trial strike at once. */
  readonly spreadMs: number;
  /** Whole number from 0 to 4,294,967,295. */
  readonly seed: number;
}

/**
 * When each trial strikes: one offset a trial in [0, spreadMs), in milliseconds with whole microseconds. The window is cut into as many
 * equal strata as there are trials, each trial strikes somewhere in a stratum of its own, and the strata are shuffled: so few trials
 * already meet the whole advert interval, and a host that gets slower does not look like an effect of the offset.
 * The same options give the same offsets everywhere.
 * @throws RangeError when an option is not such a number, or a stratum would be narrower than a microsecond.
 */
export function strikeOffsets({ count, spreadMs, seed }: StrikeOffsetsOptions): number[] {
  const spread = spreadMs * 1000;
  if (!isWhole(count, 1, 2 ** 32)) throw new RangeError(`count is ${count}: no whole number from 1 on`);
  if (!isWhole(spreadMs, 0, Math.floor(2 ** 32 / 1000))) throw new RangeError(`spreadMs is ${spreadMs}: no whole number from 0 to 4294967`);
  if (!isWhole(seed, 0, 2 ** 32 - 1)) throw new RangeError(`seed is ${seed}: no whole number of 32 bits`);
  if (spread === 0) return Array.from({ length: count }, () => 0);
  if (count > spread) throw new RangeError(`${spreadMs} ms cannot be cut into ${count} strata of a microsecond or more`);

  // Neighbouring seeds start this generator far apart; with xoroshiro128plus they would put the first trials into neighbouring strata.
  const random = mersenne(seed);
  const edge = (stratum: number) => Math.ceil((stratum * spread) / count);
  // Whole numbers alone, so that no rounding lets an offset leave its stratum.
  const offsets = Array.from({ length: count }, (_, stratum) => uniformInt(random, edge(stratum), edge(stratum + 1) - 1) / 1000);
  // Fisher and Yates' shuffle.
  for (let last = count - 1; last > 0; last -= 1) {
    const other = uniformInt(random, 0, last);
    [offsets[last], offsets[other]] = [offsets[other] ?? 0, offsets[last] ?? 0];
  }
  return offsets;
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
