import type { ConntrackStats, DropCounter } from "../evidence/observation.ts";
import { attribute, loggedSince, type Attribution } from "./loggedPackets.ts";
import { firstOf, viewOf, type Scene } from "./scene.ts";

/** Counters of connection tracking that say: a packet was thrown away. None may grow. `invalid` may, by the probes that are to be refused. */
export const losses = ["drop", "insert_failed", "early_drop"] as const;

/** What the survivor's own ruleset and kernel tell of the packets that it dropped between the two observations. */
export interface RulesetAccount {
  /** Packets that the ruleset's counters counted as dropped; undefined when that is not told. */
  readonly counted: number | undefined;
  /** Whose the packets were that it logged; undefined when the log is not told. */
  readonly logged: Attribution | undefined;
  /**
   * Whether the counters were told; the places that drop uncounted; whether counters count every drop; whether anything was logged at all: without,
   * they tell nothing of a packet.
   */
  readonly countersTold: boolean;
  readonly uncounted: readonly string[];
  readonly counts: boolean;
  readonly logs: boolean;
  /** By how much the counters of `conntrack -S` grew. */
  readonly stats: Deltas | undefined;
  /** What is wrong with the telling itself, as the fault of the machine that should tell. */
  readonly faults: readonly string[];
  readonly evidence: readonly string[];
}

export type Deltas = Record<"invalid" | (typeof losses)[number], number>;

export function rulesetAccount(scene: Scene): RulesetAccount {
  const { before, after, to } = scene.transition;
  const faults: string[] = [];
  const evidence: string[] = [];
  const sink = { wrong: faults, evidence };
  const countersBefore = viewOf(before, to, "dropCounters", sink);
  const countersAfter = viewOf(after, to, "dropCounters", sink);
  const logBefore = viewOf(before, to, "loggedPackets", sink);
  const logAfter = viewOf(after, to, "loggedPackets", sink);
  const statsBefore = viewOf(before, to, "conntrackStats", sink);
  const statsAfter = viewOf(after, to, "conntrackStats", sink);
  const countersTold = countersBefore !== undefined && countersAfter !== undefined;
  const uncounted = [...new Set([...(countersBefore ?? []), ...(countersAfter ?? [])].filter((counter) => counter.uncounted === true).map(({ rule }) => rule))];
  const counts = countersTold && uncounted.length === 0 && countersBefore.length > 0 && countersAfter.length > 0;
  return {
    countersTold,
    uncounted,
    counted: counts ? grownCounters(countersBefore, countersAfter, faults) : undefined,
    logged: logBefore && logAfter && attribute(scene, loggedSince(logBefore, logAfter)),
    counts,
    logs: [...(logBefore ?? []), ...(logAfter ?? [])].length > 0,
    stats: statsBefore && statsAfter ? statsDeltas(statsBefore, statsAfter, faults) : undefined,
    faults,
    evidence,
  };
}

/** How many packets the ruleset dropped. Rules of one name are taken together. */
function grownCounters(before: readonly DropCounter[], after: readonly DropCounter[], faults: string[]): number {
  const total = (counters: readonly DropCounter[], rule: string) => sum(counters.filter((counter) => counter.rule === rule).map((counter) => counter.packets));
  const rules = [...new Set([...before, ...after].map((counter) => counter.rule))];
  const grown = rules.map((rule) => ({ rule, by: total(after, rule) - total(before, rule) }));
  const changed = rules.filter((rule) => [before, after].some((counters) => !counters.some((counter) => counter.rule === rule)));
  const fallen = grown.filter(({ by }) => by < 0).map(({ rule }) => rule);
  if (changed.length > 0) faults.push(`the ruleset changed while it was watched: ${firstOf(changed)}`);
  if (fallen.length > 0) faults.push(`drop counters were set back while they were watched: ${firstOf(fallen)}`);
  return sum(grown.map(({ by }) => Math.max(0, by)));
}

function statsDeltas(before: ConntrackStats, after: ConntrackStats, faults: string[]): Deltas | undefined {
  const names = ["invalid", ...losses] as const;
  const untold = names.filter((name) => before[name] === undefined || after[name] === undefined);
  if (untold.length > 0) {
    faults.push(`conntrack -S does not tell ${untold.join(", ")}`);
    return undefined;
  }
  const delta = (name: (typeof names)[number]) => (after[name] ?? 0) - (before[name] ?? 0);
  const deltas = { invalid: delta("invalid"), drop: delta("drop"), insert_failed: delta("insert_failed"), early_drop: delta("early_drop") };
  if (names.some((name) => deltas[name] < 0)) faults.push("conntrack -S: counters were set back while they were watched");
  return deltas;
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
