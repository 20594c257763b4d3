import { max, median, min, quantile } from "simple-statistics";
import type { Distribution } from "../evidence/distribution.ts";

/** How these lengths of time in milliseconds are spread, to the millisecond; null when there are none. */
export function distributionOf(lengthsMs: readonly number[]): Distribution | null {
  if (lengthsMs.length === 0) return null;
  const lengths = [...lengthsMs];
  return { min: Math.round(min(lengths)), median: Math.round(median(lengths)), p95: Math.round(quantile(lengths, 0.95)), max: Math.round(max(lengths)) };
}

/** A distribution as people read it. */
export function distributionText({ min, median, p95, max }: Distribution): string {
  return `min ${min} ms, median ${median} ms, p95 ${p95} ms, max ${max} ms`;
}
