import type { ConntrackStats, DropCounter } from "../evidence/observation.ts";
import { attribute, loggedSince, type Attribution } from "./loggedPackets.ts";
import { conclude, firstOf, ledgersOf, viewOf, type Check, type Scene } from "./scene.ts";

/** Counters of connection tracking that say: a packet was thrown away. None may grow. `invalid` may, by the probes that are to be refused. */
const losses = ["drop", "insert_failed", "early_drop"] as const;

/**
 * Between the two observations the survivor dropped packets of probes that are to be refused, and no other: every drop that its ruleset
 * counted was logged, every logged packet was such a probe's, and connection tracking threw nothing away.
 */
export const noDropsOnSurvivor: Check = (scene) => {
  const { before, after, to } = scene.transition;
  const wrong: string[] = [];
  const evidence: string[] = [];
  const sink = { wrong, evidence };
  const countersBefore = viewOf(before, to, "dropCounters", sink);
  const countersAfter = viewOf(after, to, "dropCounters", sink);
  const logBefore = viewOf(before, to, "loggedPackets", sink);
  const logAfter = viewOf(after, to, "loggedPackets", sink);
  const statsBefore = viewOf(before, to, "conntrackStats", sink);
  const statsAfter = viewOf(after, to, "conntrackStats", sink);

  const counted = countersBefore && countersAfter ? grownCounters(countersBefore, countersAfter, wrong) : undefined;
  const logged = logBefore && logAfter ? attribute(scene, loggedSince(logBefore, logAfter)) : undefined;
  const lossyFlows = logged === undefined ? [] : [...logged.flows].toSorted((a, b) => b[1] - a[1]);
  if (logged !== undefined) wrong.push(...loggedFaults(logged, lossyFlows));
  if (counted !== undefined && logged !== undefined && counted !== logged.forwarded) {
    wrong.push(`the ruleset dropped ${counted} packets and logged ${logged.forwarded}: it cannot be said whose all of them were`);
  }
  const probed = scene.transition.probes.some(
    ({ id, moment, atMs, tookMs }) => id !== "allowed-service" && moment === "after" && atMs + tookMs <= logAfterAtMs(scene),
  );
  if (logged !== undefined && probed && logged.refusedProbes === 0) {
    wrong.push(`probes were refused while ${to} had the duty, and it logged none of them: its log and counters prove nothing`);
  }
  const stats = statsBefore && statsAfter ? statsDeltas(statsBefore, statsAfter, wrong) : undefined;
  if (stats !== undefined) {
    wrong.push(...losses.filter((name) => stats[name] !== 0).map((name) => `conntrack -S: ${name} grew by ${stats[name]}`));
    const explained = logged?.refusedProbes ?? 0;
    if (stats.invalid > explained) wrong.push(`conntrack -S: invalid grew by ${stats.invalid}, of which probes explain ${explained}`);
  }
  const say = (value: number | undefined) => value ?? "unknown";
  return conclude(scene, "no-drops-on-survivor", {
    measured: [
      `${say(counted)} drops counted, ${say(logged?.forwarded)} logged on ${to}`,
      logged && `${logged.refusedProbes} of refused probes, ${sum(logged.flows.values())} of flows, ${logged.unexplained.length} unexplained`,
      stats && `invalid +${stats.invalid}, ${losses.map((name) => `${name} +${stats[name]}`).join(", ")}`,
    ]
      .filter((part) => part !== undefined)
      .join("; "),
    allowed: "only packets of probes that are to be refused, each counted and logged; drop, insert_failed, early_drop +0",
    meaning: `${to} dropped nothing but what the policy forbids`,
    wrong,
    missing: scene.flows.length === 0 ? ["the run has no flows"] : [],
    evidence: [...evidence, ...(lossyFlows.length > 0 ? ledgersOf(lossyFlows.map(([id]) => id)) : [])],
  });
};

/** When the survivor's log was read last. */
function logAfterAtMs({ transition: { after, to } }: Scene): number {
  return after.firewalls[to]?.loggedPackets.atMs ?? after.atMs;
}

function loggedFaults({ unexplained }: Attribution, lossyFlows: readonly (readonly [string, number])[]): string[] {
  const faults: string[] = [];
  if (lossyFlows.length > 0) faults.push(`dropped packets of flows: ${firstOf(lossyFlows.map(([id, count]) => `${id} (${count})`))}`);
  if (unexplained.length > 0) faults.push(`dropped packets of no flow and no refused probe: ${firstOf(unexplained)}`);
  return faults;
}

/** How many packets the ruleset dropped. Rules of one name are taken together. */
function grownCounters(before: readonly DropCounter[], after: readonly DropCounter[], wrong: string[]): number | undefined {
  if (before.length === 0 || after.length === 0) {
    wrong.push("the ruleset has no counter that counts drops");
    return undefined;
  }
  const total = (counters: readonly DropCounter[], rule: string) => sum(counters.filter((counter) => counter.rule === rule).map((counter) => counter.packets));
  const rules = [...new Set([...before, ...after].map((counter) => counter.rule))];
  const grown = rules.map((rule) => ({ rule, by: total(after, rule) - total(before, rule) }));
  const changed = rules.filter((rule) => [before, after].some((counters) => !counters.some((counter) => counter.rule === rule)));
  const fallen = grown.filter(({ by }) => by < 0).map(({ rule }) => rule);
  if (changed.length > 0) wrong.push(`the ruleset changed while it was watched: ${firstOf(changed)}`);
  if (fallen.length > 0) wrong.push(`drop counters were set back while they were watched: ${firstOf(fallen)}`);
  return sum(grown.map(({ by }) => Math.max(0, by)));
}

type Deltas = Record<"invalid" | (typeof losses)[number], number>;

function statsDeltas(before: ConntrackStats, after: ConntrackStats, wrong: string[]): Deltas | undefined {
  const names = ["invalid", ...losses] as const;
  const untold = names.filter((name) => before[name] === undefined || after[name] === undefined);
  if (untold.length > 0) {
    wrong.push(`conntrack -S does not tell ${untold.join(", ")}`);
    return undefined;
  }
  const delta = (name: (typeof names)[number]) => (after[name] ?? 0) - (before[name] ?? 0);
  const deltas = { invalid: delta("invalid"), drop: delta("drop"), insert_failed: delta("insert_failed"), early_drop: delta("early_drop") };
  if (names.some((name) => deltas[name] < 0)) wrong.push("conntrack -S: counters were set back while they were watched");
  return deltas;
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
