import type { Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { CheckResult, FlowResult, Outage } from "../evidence/run.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { judgeBalance, requestsAnswered } from "./balance.ts";
import { concluded } from "./concluded.ts";
import { judgeDirectorCut } from "./directorCut.ts";
import { figuresOf, flowResult } from "./figures.ts";
import { judgeFirewallCut } from "./firewallCut.ts";
import { outageOf } from "./outage.ts";
import { endOf, startOf } from "./scene.ts";
import { survivalOf, type Survival } from "./survival.ts";

/** What a sandwich's run came to. */
export interface SandwichChecks {
  readonly checks: CheckResult[];
  readonly flows: FlowResult[];
  readonly outages: Outage[];
}

/** Judges a sandwich's run by its evidence: each act in which nothing was broken by its balance, each transition by its flows, and the load of both. Pure. */
export function sandwichChecks(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[] | undefined): SandwichChecks {
  const figures = figuresOf(evidence.flows, evidence.clocks);
  const transitions = evidence.transitions.toSorted((a, b) => a.fault.atMs - b.fault.atMs);
  const checks = (evidence.acts ?? []).flatMap((act) => {
    const struck = transitions.some(({ fault }) => fault.atMs >= act.fromMs && fault.atMs <= act.untilMs);
    return struck ? [concluded("requests-answered", "run", requestsAnswered(act))] : judgeBalance(act, topology, packets);
  });
  const outages: Outage[] = [];
  const all: (readonly Survival[])[] = [];
  for (const transition of transitions) {
    const scene = { evidence, transition, flows: figures, startMs: startOf(transition), untilMs: endOf(evidence, transition) };
    const survivals = figures.map((flow) => survivalOf(scene, flow));
    all.push(survivals);
    outages.push(outageOf(scene, survivals));
    const judgeCut = topology.directors.includes(transition.from) ? judgeDirectorCut : judgeFirewallCut;
    checks.push(...judgeCut(evidence, topology, packets, transition));
  }
  const survived = (index: number) => all.length > 0 && all.every((here) => here[index]?.faults.length === 0);
  const lookedAtMs = transitions.at(-1)?.after.atMs ?? Number.NEGATIVE_INFINITY;
  return { checks, flows: figures.map((flow, index) => flowResult(flow, survived(index), lookedAtMs)), outages };
}
