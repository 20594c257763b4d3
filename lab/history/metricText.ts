import type { Metric } from "../evidence/metric.ts";

/** What is known of a metric beside its values. */
export interface MetricTraits {
  readonly name: string;
  readonly unit: "ms" | "packets";
  /**
   * `outcome`: what users of the pair feel. `phase`: where in the failover the time goes. `host`: what it was measured with, and nothing that the pair
   * could be blamed for. Each family is corrected for its own number of tests: five phases, one of which always hides in another, would else
   * ask for twice as many trials before an outage three times as long may be called one.
   */
  readonly family: "outcome" | "phase" | "host";
  /** Shifts below this are nobody's regression, however sure they are, in the metric's unit. */
  readonly floor: number;
}

/**
 * A quarter of a second is a quarter of the advert interval that the reference trees have, and well above the tens of milliseconds by which an emulated
 * host is late; phases are timed by packets and journals, and matter from a tenth of a second on.
 */
export const metricTraits: Readonly<Record<Metric, MetricTraits>> = {
  networkMs: { name: "network outage", unit: "ms", family: "outcome", floor: 250 },
  stallMs: { name: "longest stall", unit: "ms", family: "outcome", floor: 250 },
  firewallMs: { name: "firewalls' part", unit: "ms", family: "outcome", floor: 250 },
  masterMs: { name: "until MASTER", unit: "ms", family: "phase", floor: 100 },
  addressUpMs: { name: "until addresses up", unit: "ms", family: "phase", floor: 100 },
  announcedMs: { name: "until announced", unit: "ms", family: "phase", floor: 100 },
  committedMs: { name: "until states committed", unit: "ms", family: "phase", floor: 100 },
  windowMs: { name: "window without state", unit: "ms", family: "phase", floor: 100 },
  dropped: { name: "packets dropped", unit: "packets", family: "phase", floor: 1 },
  hostDelayMs: { name: "host's timer late", unit: "ms", family: "host", floor: 250 },
  strikeLateMs: { name: "strike late", unit: "ms", family: "host", floor: 250 },
};

/** A value with its unit. */
export function valueText(metric: Metric, value: number): string {
  return metricTraits[metric].unit === "ms" ? `${Math.round(value)} ms` : `${Math.round(value * 10) / 10}`;
}

/** A change, with its sign and unit. */
export function shiftText(metric: Metric, shift: number): string {
  return `${shift > 0 ? "+" : ""}${valueText(metric, shift)}`;
}
