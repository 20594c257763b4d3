import type { Evidence, Transition } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { CheckResult } from "../evidence/run.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { carriersOf } from "./carriers.ts";
import { concluded, type Found } from "./concluded.ts";
import { cutFlows, faultBit, flowsSurvive, outageInBound } from "./firewallCut.ts";
import { firstOf, startOf } from "./scene.ts";

/** Judges the power cut of a director: no flow is lost, and the other director sends each connection to the firewall that knows it. Pure. */
export function judgeDirectorCut(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[] | undefined, transition: Transition): CheckResult[] {
  const flows = cutFlows(evidence, topology, packets, transition);
  const checks: Record<string, Found> = {
    "fault-bit": faultBit(transition),
    "flows-survive": flowsSurvive(flows, undefined, transition),
    "outage-in-bound": outageInBound(flows, transition),
    ...(packets !== undefined && { "same-firewall": sameFirewall(topology, packets, transition) }),
  };
  return Object.entries(checks).map(([id, found]) => concluded(id, transition.phase, found));
}

function sameFirewall(topology: SandwichTopology, packets: readonly Packet[], transition: Transition): Found {
  const faultMs = startOf(transition);
  const begun = { fromMs: Number.NEGATIVE_INFINITY, untilMs: faultMs };
  const names = (counted: { readonly countedFromMs?: number; readonly countedUntilMs?: number }) =>
    new Map(carriersOf(topology, packets, { ...begun, ...counted }).map(({ connection, forward }) => [connection, new Set(forward.keys())] as const));
  const before = names({ countedUntilMs: faultMs });
  const after = names({ countedFromMs: faultMs });
  const went = [...before].filter(([connection, firewalls]) => firewalls.size > 0 && (after.get(connection)?.size ?? 0) > 0);
  const moved = went.filter(([connection, firewalls]) => [...(after.get(connection) ?? [])].some((name) => !firewalls.has(name)));
  return {
    measured: `${went.length} connections went on, ${moved.length} of them by another firewall`,
    allowed: "each by the firewall that it went by before",
    meaning: `${transition.to} had been told where each connection goes`,
    wrong: moved.length === 0 ? [] : [`${moved.length} connections were sent to another firewall: ${firstOf(moved.map(([connection]) => connection))}`],
    missing: went.length === 0 ? ["no connection of before went on"] : [],
  };
}
