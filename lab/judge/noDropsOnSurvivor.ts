import type { Drops } from "../evidence/timeline.ts";
import { dropsOf } from "./drops.ts";
import type { Attribution } from "./loggedPackets.ts";
import { holdLimitMs } from "./matching.ts";
import type { Passage } from "./passages.ts";
import { losses, rulesetAccount, sum, type RulesetAccount } from "./rulesetAccount.ts";
import { conclude, firstOf, ledgersOf, type Check, type Scene } from "./scene.ts";

/**
 * The survivor let every packet of a flow that went into it out again, and made no reset and no ICMP error into a flow itself, by its taps, whatever
 * its ruleset says; and what the ruleset says is in keeping with that: every drop that it counted was logged, every logged packet was of a probe that
 * is to be refused, and connection tracking threw nothing away.
 *
 * Two witnesses, and either one's word against the pair is enough to fail, so where they contradict each other the contradiction itself decides nothing:
 * it is shown. A ruleset that neither counts nor logs is no fault where the taps were asked: then what cannot be told from it is not asked of it.
 * Without a capture it is the only witness, and has to tell everything.
 */
export const noDropsOnSurvivor: Check = (scene) => {
  const { evidence: run, transition, flows } = scene;
  const { drops, first, afterLook } = dropsOf(scene) ?? {};
  const account = rulesetAccount(scene);
  const lossyFlows = [...(account.logged?.flows ?? [])].toSorted((a, b) => b[1] - a[1]);
  const wrong = [...(drops === undefined ? [] : tapFaults(drops, first)), ...rulesetFaults(scene, account, lossyFlows, drops !== undefined)];
  // A contradiction always comes with a witness's word against the pair; it tells the reader how far to trust either.
  if (drops?.disagreement != null && wrong.length > 0) wrong.splice(1, 0, `taps and ruleset contradict each other: ${drops.disagreement}`);
  const named = [...new Set([...(drops?.flows ?? []), ...(drops?.answered ?? [])].map(({ id }) => id).concat(lossyFlows.map(([id]) => id)))];
  return conclude(scene, "no-drops-on-survivor", {
    measured: [tapsText(drops, afterLook), ...rulesetText(transition.to, account), drops?.disagreement == null ? undefined : "taps and ruleset contradict each other"].filter((part) => part !== undefined).join("; "),
    allowed: `${drops === undefined ? "" : "no packet of a flow dropped, held, changed or answered; "}only packets of probes that are to be refused, each counted and logged; drop, insert_failed, early_drop +0`,
    meaning: `${transition.to} dropped nothing but what the policy forbids${drops === undefined ? "; its taps were not asked" : ""}`,
    wrong,
    missing: [...(flows.length === 0 ? ["the run has no flows"] : []), ...(drops === undefined ? [] : blindTaps(scene, drops))],
    evidence: [...(drops !== undefined && typeof run.capture === "object" ? [run.capture.file] : []), ...account.evidence, ...(named.length > 0 ? ledgersOf(named) : [])],
  });
};

/** Flows that carried records after the fault went through the survivor: a capture that saw none of their packets is not of its taps. */
function blindTaps({ transition, flows, untilMs }: Scene, { entered }: Drops): string[] {
  const carried = flows.some(({ directions }) => directions.some(({ arrivals }) => arrivals.some(({ sent, atMs }) => sent !== undefined && sent.atMs - sent.errorMs > transition.fault.atMs && atMs <= untilMs)));
  return carried && entered === 0 ? [`flows moved after the fault, and the capture has no packet of theirs at ${transition.to}'s taps`] : [];
}

function tapFaults({ firewall, dropped, late = 0, changed = 0, flows, answered }: Drops, first: Passage | undefined): string[] {
  const faults: string[] = [];
  if (dropped > 0) {
    const whose = firstOf(flows.map(({ id, direction, moment, packets }) => `${id} ${direction} ${moment === "outage" ? "in the outage" : `${moment} ${moment === "before" ? "the fault" : "the outage"}`} (${packets})`));
    const held = late > 0 ? `, ${late} of them held for more than ${holdLimitMs} ms` : "";
    faults.push(`by its taps ${firewall} dropped ${dropped} packets of flows${held}: ${whose}${first === undefined ? "" : `; the first in Wireshark: ${displayFilter(first)}`}`);
  }
  if (answered.length > 0) faults.push(`${firewall} itself answered into flows: ${firstOf(answered.map(({ id, direction, what, packets }) => `${id} ${direction} ${what} (${packets})`))}`);
  if (changed > 0) faults.push(`${changed} packets left ${firewall} with a tuple that is not their flow's: their translation was lost`);
  return faults;
}

/** A display filter of Wireshark's that shows a packet at every tap and bridge that it passed: where it went in, and not where it should have come out. */
export function displayFilter({ packet: { atMs, body } }: Passage): string {
  const seconds = (ofMs: number) => (ofMs / 1000).toFixed(3);
  const parts = [`frame.time_epoch >= ${seconds(atMs - 5)}`, `frame.time_epoch <= ${seconds(atMs + holdLimitMs)}`];
  if (body.kind === "tcp" || body.kind === "udp") {
    if (body.ipId !== undefined) parts.push(`ip.id == 0x${body.ipId.toString(16).padStart(4, "0")}`);
    parts.push(body.kind === "tcp" ? `tcp.seq_raw == ${body.seq}` : `udp.length == ${body.payloadBytes + 8}`);
  }
  return parts.join(" && ");
}

function rulesetFaults(scene: Scene, account: RulesetAccount, lossyFlows: readonly (readonly [string, number])[], tapsAsked: boolean): string[] {
  const { to } = scene.transition;
  const { logged, counted, stats } = account;
  const wrong = [...account.faults];
  const logOwed = account.logs || !tapsAsked;
  if (account.countersTold && !account.counts && !tapsAsked) {
    wrong.push(account.uncounted.length === 0 ? "the ruleset has no counter that counts drops" : `these drop and do not count, or count other packets too: ${firstOf(account.uncounted)}`);
  }
  if (logged !== undefined) wrong.push(...loggedFaults(logged, lossyFlows));
  if (counted !== undefined && logged !== undefined && logOwed && counted !== logged.forwarded) {
    wrong.push(`the ruleset dropped ${counted} packets and logged ${logged.forwarded}: it cannot be said whose all of them were`);
  }
  if (logged !== undefined && logOwed && probed(scene) && logged.refusedProbes === 0) {
    wrong.push(`probes were refused while ${to} had the duty, and it logged none of them: its log and counters prove nothing`);
  }
  if (stats !== undefined) {
    wrong.push(...losses.filter((name) => stats[name] !== 0).map((name) => `conntrack -S: ${name} grew by ${stats[name]}`));
    const explained = logged?.refusedProbes ?? 0;
    if (logOwed && stats.invalid > explained) wrong.push(`conntrack -S: invalid grew by ${stats.invalid}, of which probes explain ${explained}`);
  }
  return wrong;
}

/** Whether probes that are to be refused were over before the survivor's log was read last. */
function probed({ transition: { after, to, probes } }: Scene): boolean {
  const readAtMs = after.firewalls[to]?.loggedPackets.atMs ?? after.atMs;
  return probes.some(({ id, moment, atMs, tookMs }) => id !== "allowed-service" && moment === "after" && atMs + tookMs <= readAtMs);
}

function loggedFaults({ unexplained }: Attribution, lossyFlows: readonly (readonly [string, number])[]): string[] {
  const faults: string[] = [];
  if (lossyFlows.length > 0) faults.push(`dropped packets of flows: ${firstOf(lossyFlows.map(([id, count]) => `${id} (${count})`))}`);
  if (unexplained.length > 0) faults.push(`dropped packets of no flow and no refused probe: ${firstOf(unexplained)}`);
  return faults;
}

function tapsText(drops: Drops | undefined, afterLook = 0): string {
  if (drops === undefined) return "taps not asked";
  const { entered, dropped, changed = 0, answered, ruleset } = drops;
  const more = afterLook > 0 && (ruleset?.loggedOfFlows ?? 0) > dropped ? ` (and ${afterLook} more after the last look at it began)` : "";
  return `by its taps ${drops.firewall} took in ${entered} packets of flows and dropped ${dropped}${more}, answered ${sum(answered.map(({ packets }) => packets))}, changed ${changed}`;
}

function rulesetText(to: string, { counted, logged, counts, uncounted, logs, stats }: RulesetAccount): string[] {
  const say = (value: number | undefined) => value ?? "unknown";
  const silent = !counts && !logs && logged !== undefined;
  return [
    silent ? `${to}'s ruleset neither counts nor logs drops` : `${uncounted.length > 0 ? "not all drops are counted" : `${say(counted)} drops counted`}, ${say(logged?.forwarded)} logged on ${to}`,
    logged && `${logged.refusedProbes} of refused probes, ${sum(logged.flows.values())} of flows, ${logged.unexplained.length} unexplained`,
    stats && `invalid +${stats.invalid}, ${losses.map((name) => `${name} +${stats[name]}`).join(", ")}`,
  ].filter((part) => part !== undefined);
}
