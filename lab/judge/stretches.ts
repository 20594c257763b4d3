import { quantile } from "simple-statistics";
import type { Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { Act } from "../evidence/sandwich.ts";
import type { Stretch } from "../evidence/sandwichFigures.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { egressReader } from "./carriers.ts";
import { figuresOf, resumption } from "./figures.ts";
import { startOf } from "./scene.ts";

interface Span {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A sandwich's acts in figures, cut where its firewalls changed their duty and where the last flow moved again; what is before the first cut begins when all connections are open. Pure. */
export function stretchesOf(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[] | undefined): Stretch[] {
  return (evidence.acts ?? []).flatMap((act) => {
    const spans = spansOf(act, evidence);
    const carried = carriedIn(spans, topology, packets ?? []);
    return spans.map((span, index): Stretch => ({ ...span, ...requestsIn(act, span), carried: packets === undefined ? {} : (carried[index] ?? {}) }));
  });
}

function spansOf(act: Act, evidence: Evidence): Span[] {
  const transitions = evidence.transitions.filter(({ fault }) => fault.atMs >= act.fromMs && fault.atMs <= act.untilMs).toSorted((a, b) => a.fault.atMs - b.fault.atMs);
  if (transitions.length === 0) return [{ name: act.name, fromMs: act.fromMs, untilMs: act.untilMs }];
  const figures = figuresOf(evidence.flows, evidence.clocks);
  const cuts = transitions.flatMap((transition): { readonly name: string; readonly atMs: number }[] => {
    const resumed = figures.flatMap(({ speaking }) => speaking.flatMap((direction) => resumption(direction, transition.fault.atMs, transition.after.atMs)?.atMs ?? []));
    return [
      { name: transition.phase, atMs: startOf(transition) },
      { name: "steady", atMs: Math.max(startOf(transition), ...resumed) },
    ];
  });
  const points = [{ name: "steady", atMs: act.openAtMs ?? act.fromMs }, ...cuts, { name: "end", atMs: act.untilMs }];
  const spans = points.slice(0, -1).map(({ name, atMs }, index) => ({ name, fromMs: atMs, untilMs: points[index + 1]?.atMs ?? act.untilMs }));
  const steady = ["before", ...(transitions.length > 1 ? ["between"] : []), "after"];
  return spans.map((span) => (span.name === "steady" ? { ...span, name: steady.shift() ?? "after" } : span));
}

function requestsIn({ load: { requests } }: Act, { fromMs, untilMs }: Span): Pick<Stretch, "requests" | "failed" | "perSecond" | "p50Ms" | "p99Ms"> {
  const own = requests.atMs.flatMap((atMs, index) => (atMs >= fromMs && atMs < untilMs ? [index] : []));
  const took = own.map((index) => requests.tookMs[index] ?? 0);
  const at = (share: number) => (took.length === 0 ? null : Math.round(quantile(took, share)));
  const seconds = (untilMs - fromMs) / 1000;
  return {
    requests: own.length,
    failed: own.filter((index) => requests.outcome[index] !== "ok").length,
    perSecond: seconds > 0 ? Math.round((own.length / seconds) * 10) / 10 : 0,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** By span and firewall: connections of which a packet went by it, and packets. One pass over the capture. */
function carriedIn(spans: readonly Span[], topology: SandwichTopology, packets: readonly Packet[]): Stretch["carried"][] {
  const passageOf = egressReader(topology);
  const counts = spans.map(() => new Map(topology.firewalls.map((name) => [name, { connections: new Set<string>(), packets: 0 }])));
  for (const packet of packets) {
    const passage = passageOf(packet);
    if (passage === undefined) continue;
    const index = spans.findIndex(({ fromMs, untilMs }) => packet.atMs >= fromMs && packet.atMs < untilMs);
    const count = counts[index]?.get(passage.firewall);
    if (count === undefined) continue;
    count.connections.add(passage.connection);
    count.packets += 1;
  }
  return counts.map((byFirewall) => Object.fromEntries([...byFirewall].map(([name, { connections, packets: all }]) => [name, { connections: connections.size, packets: all }])));
}
