import type { Clock } from "../evidence/ledger.ts";

/**
 * This process's monotonic clock (performance.now()) against the host's epoch clock, measured now. `Date.now()` and not
 * `performance.timeOrigin`: captures and faults bear the system's time, from which a slewed clock drifts away over a run.
 */
export function hostClock(): Clock {
  const measuredAtMs = Date.now();
  // Date.now() cuts off the fraction of the millisecond: half of one is the best guess, and half of one its error.
  return { clock: "host", offsetMs: measuredAtMs + 0.5 - performance.now(), errorMs: 0.5, measuredAtMs };
}
