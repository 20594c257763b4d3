import type { Clock } from "../evidence/ledger.ts";

/** A time on the host's epoch clock, in milliseconds, right within `errorMs`. */
export interface HostTime {
  readonly atMs: number;
  readonly errorMs: number;
}

export type ToHostTime = (atMs: number) => HostTime;

/**
 * Converters from each machine's clock to the host's. The offset is interpolated between the two measurements nearest in time,
 * so that a clock's drift over the run does not count as delay; outside all measurements the nearest one holds.
 * A clock that nobody measured has no converter.
 */
export function clockConverters(clocks: readonly Clock[]): ReadonlyMap<string, ToHostTime> {
  const byName = new Map<string, Clock[]>();
  for (const clock of clocks) byName.set(clock.clock, [...(byName.get(clock.clock) ?? []), clock]);
  return new Map([...byName].map(([name, measurements]) => [name, converter(measurements.toSorted((a, b) => a.measuredAtMs - b.measuredAtMs))]));
}

function converter(measurements: readonly Clock[]): ToHostTime {
  return (atMs) => {
    const next = measurements.findIndex((measurement) => atMs + measurement.offsetMs < measurement.measuredAtMs);
    const later = measurements[next === -1 ? measurements.length - 1 : next];
    const earlier = next > 0 ? measurements[next - 1] : later;
    if (earlier === undefined || later === undefined) return { atMs: Number.NaN, errorMs: Number.POSITIVE_INFINITY };
    const span = later.measuredAtMs - earlier.measuredAtMs;
    const share = span > 0 ? (atMs + earlier.offsetMs - earlier.measuredAtMs) / span : 0;
    const offsetMs = earlier.offsetMs + (later.offsetMs - earlier.offsetMs) * Math.min(1, Math.max(0, share));
    return { atMs: atMs + offsetMs, errorMs: Math.max(earlier.errorMs, later.errorMs) };
  };
}
