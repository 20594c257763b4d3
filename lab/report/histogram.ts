import { max, min } from "simple-statistics";

/** How many values are at `from` or above it, and below `until`. */
export interface Bin {
  readonly from: number;
  readonly until: number;
  readonly count: number;
}

/** Bars of more lines than this are no picture any more. */
const mostBins = 10;

/**
 * Sorts finite values into bins of one width, a round one (1, 2 or 5 times a power of ten), the smallest that needs ten bins at most.
 * The bins follow each other from the lowest value's to the highest's, the empty ones between them included; every value is in one of them.
 */
export function binsOf(values: readonly number[]): Bin[] {
  if (values.length === 0) return [];
  const [lowest, highest] = [min([...values]), max([...values])];
  const width = roundWidths().find((each) => Math.floor(highest / each) - Math.floor(lowest / each) < mostBins) ?? highest;
  const first = Math.floor(lowest / width);
  const counts = Array.from({ length: Math.floor(highest / width) - first + 1 }, () => 0);
  for (const value of values) {
    const index = Math.floor(value / width) - first;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((count, index) => ({ from: (first + index) * width, until: (first + index + 1) * width, count }));
}

function roundWidths(): number[] {
  return Array.from({ length: 15 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
}

/** Bars of `#` with their counts, one line each, none longer than `width`. What there is at least one of has a bar; equal counts have equal bars. */
export function barLines(bars: readonly { readonly label: string; readonly count: number }[], width: number): string[] {
  const counts = bars.map(({ count }) => count);
  const largest = Math.max(0, ...counts);
  const labelWidth = Math.max(0, ...bars.map(({ label }) => label.length));
  const countWidth = String(largest).length;
  const room = Math.max(1, width - labelWidth - countWidth - 2);
  const lengthOf = (count: number) => (largest <= room ? count : Math.max(Math.sign(count), Math.round((count * room) / largest)));
  return bars.map(({ label, count }) => `${label.padStart(labelWidth)} ${String(count).padStart(countWidth)} ${"#".repeat(lengthOf(count))}`.trimEnd());
}
