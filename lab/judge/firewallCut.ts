import type { Evidence, Transition } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { CheckResult } from "../evidence/run.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { addressWithPort } from "../topology/address.ts";
import { carriersOf, type Carried } from "./carriers.ts";
import { concluded, type Found } from "./concluded.ts";
import { figuresOf, type FlowFigures } from "./figures.ts";
import { endOf, firstOf, ms, startOf } from "./scene.ts";
import { survivalOf, type Survival } from "./survival.ts";

/** What became of a flow in one transition, and who carried it before. */
export interface CutFlow {
  readonly id: string;
  readonly carrier: string | undefined;
  readonly faults: readonly string[];
  /** Null for a flow that speaks only when told. */
  readonly stallMs: number | null;
  readonly intervalMs: number;
}

/** How long a returned firewall's neighbours may take to learn of it, in milliseconds: until then a connection's two ways may differ. */
const settledMs = 3_000;

/** What became of each flow in a transition of a sandwich's. Pure. */
export function cutFlows(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[] | undefined, transition: Transition): CutFlow[] {
  const scene = { evidence, transition, startMs: startOf(transition), untilMs: endOf(evidence, transition) };
  const settledAtMs = Math.max(...evidence.transitions.filter(({ fault }) => fault.atMs < transition.fault.atMs).map(({ after }) => after.atMs));
  const before = mainCarriers(topology, packets ?? [], settledAtMs, scene.startMs);
  return figuresOf(evidence.flows, evidence.clocks).map((figures) => {
    const { id, mode, intervalMs } = figures.flow;
    const survival: Survival = survivalOf(scene, figures);
    const stall = longestStallBegun(figures, scene.startMs, transition.after.atMs);
    return { id, carrier: before.get(connectionOf(figures)), faults: survival.faults, stallMs: mode === "idle" || stall === undefined ? null : Math.round(stall), intervalMs };
  });
}

/**
 * The longest silence of a flow's that ended after a moment and began before it was looked at again: what a host then does to a machine that boots is no
 * matter of the transition's. Undefined when nothing ever came.
 */
function longestStallBegun({ speaking }: FlowFigures, fromMs: number, lookedAtMs: number): number | undefined {
  const lengths = speaking.flatMap(({ arrivals }) => {
    const silences = arrivals.filter(({ atMs, silenceMs }) => atMs > fromMs && atMs - silenceMs < lookedAtMs).map(({ silenceMs }) => silenceMs);
    const last = arrivals.at(-1);
    return last !== undefined && last.atMs < lookedAtMs ? [...silences, lookedAtMs - last.atMs] : silences;
  });
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

/** Who passed each connection's packets on in a window, by whom most of them went. */
function mainCarriers(topology: SandwichTopology, packets: readonly Packet[], fromMs: number, untilMs: number): ReadonlyMap<string, string> {
  const carried = carriersOf(topology, packets, { fromMs: Number.NEGATIVE_INFINITY, untilMs, countedFromMs: fromMs, countedUntilMs: untilMs });
  return new Map(carried.flatMap(({ connection, forward, reverse }) => {
    const all = [...forward, ...reverse].toSorted((a, b) => b[1] - a[1]);
    return all[0] === undefined ? [] : [[connection, all[0][0]] as const];
  }));
}

function connectionOf({ flow: { tuple } }: FlowFigures): string {
  return `${addressWithPort(tuple.source.address, tuple.source.port)} > ${addressWithPort(tuple.destination.address, tuple.destination.port)}`;
}

/** Judges one transition of a sandwich's: the flows of the firewall that lost its duty, those of the other, and the ways that they take afterwards. Pure. */
export function judgeFirewallCut(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[] | undefined, transition: Transition): CheckResult[] {
  const flows = cutFlows(evidence, topology, packets, transition);
  const moved = transition.phase === "failback" ? transition.to : transition.from;
  const spared = flows.filter(({ carrier }) => carrier !== undefined && carrier !== transition.from);
  const struck = flows.filter(({ carrier }) => carrier === transition.from);
  const checks: Record<string, Found> = {
    "fault-bit": faultBit(transition),
    "flows-survive": flowsSurvive(flows, packets === undefined ? undefined : struck.length, transition),
    ...(transition.phase === "failover" && packets !== undefined && { "spared-unharmed": sparedUnharmed(spared, transition) }),
    "outage-in-bound": outageInBound(flows, transition),
    ...(packets !== undefined && { "one-way": oneWay(evidence, topology, packets, transition, moved) }),
  };
  return Object.entries(checks).map(([id, found]) => concluded(id, transition.phase, found));
}

/** Whether the fault had its effect. */
export function faultBit({ fault: { effect } }: Transition): Found {
  return { measured: effect.measured, allowed: "the fault had an effect", meaning: "the fault bit", wrong: [], missing: effect.bit ? [] : [`the fault had no effect: ${effect.measured}`] };
}

/** Whether every flow survived. @param struck how many went by the firewall that lost its duty; undefined where that is not known, or no matter. */
export function flowsSurvive(flows: readonly CutFlow[], struck: number | undefined, { from, to, phase }: Transition): Found {
  const dead = flows.filter(({ faults }) => faults.length > 0);
  return {
    measured: `${flows.length - dead.length} of ${flows.length} flows survived${struck === undefined ? "" : `, ${struck} of them by ${from} before`}`,
    allowed: "all, with every record",
    meaning: `no flow noticed more than a pause as ${to} took over`,
    wrong: dead.length === 0 ? [] : [`${dead.length} flows did not survive: ${firstOf(dead.map(({ id, carrier, faults }) => `${id} (by ${carrier ?? "nobody"}) ${faults[0] ?? ""}`))}`],
    // What nobody carried before cannot show that it survives.
    missing: [...(flows.length === 0 ? ["the run has no flows"] : []), ...(phase === "failover" && struck === 0 ? [`no flow went by ${from} before`] : [])],
  };
}

function sparedUnharmed(spared: readonly CutFlow[], { from }: Transition): Found {
  const disturbed = spared.filter(({ faults, stallMs, intervalMs }) => faults.length > 0 || (stallMs ?? 0) > 2 * intervalMs);
  const worst = Math.max(0, ...spared.map(({ stallMs }) => stallMs ?? 0));
  return {
    measured: `${spared.length} flows did not go by ${from}, the longest of them stood still for ${ms(worst)}`,
    allowed: "twice their own pace",
    meaning: `whoever did not go by ${from} noticed nothing`,
    wrong: disturbed.length === 0 ? [] : [`${disturbed.length} flows that did not go by ${from} noticed: ${firstOf(disturbed.map(({ id, faults, stallMs }) => `${id} ${faults[0] ?? ms(stallMs ?? 0)}`))}`],
    missing: spared.length === 0 ? [`every flow went by ${from}`] : [],
  };
}

/** Whether every flow moved again in time. */
export function outageInBound(flows: readonly CutFlow[], { outageBoundMs }: Transition): Found {
  const worst = flows.toSorted((a, b) => (b.stallMs ?? 0) - (a.stallMs ?? 0))[0];
  const late = flows.filter(({ stallMs }) => (stallMs ?? 0) > outageBoundMs);
  return {
    measured: `the longest that a flow stood still: ${ms(worst?.stallMs ?? 0)}`,
    allowed: ms(outageBoundMs),
    meaning: "flows moved again in time",
    wrong: late.length === 0 ? [] : [`${late.length} flows stood still for longer: ${firstOf(late.map(({ id, stallMs }) => `${id} ${ms(stallMs ?? 0)}`))}`],
    missing: worst === undefined ? ["the run has no flows"] : [],
  };
}

/** After a transition every connection goes by one firewall, both ways; after a failover by the one that is left. */
function oneWay(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[], transition: Transition, moved: string): Found {
  const fromMs = transition.after.atMs - settledMs;
  const untilMs = Math.min(endOf(evidence, transition), transition.after.atMs);
  const carried = carriersOf(topology, packets, { fromMs: Number.NEGATIVE_INFINITY, untilMs, countedFromMs: fromMs, countedUntilMs: untilMs }).filter(({ forward, reverse }) => forward.size + reverse.size > 0);
  const astray = carried.filter((each) => carriersAlong(each).size > 1);
  const byMoved = carried.filter((each) => carriersAlong(each).has(moved)).length;
  const wrong = astray.length === 0 ? [] : [`${astray.length} connections still go by two firewalls ${ms(untilMs - transition.fault.atMs)} after: ${firstOf(astray.map(({ connection }) => connection))}`];
  if (transition.phase === "failback" && byMoved === 0) wrong.push(`${moved} carries nothing again`);
  if (transition.phase === "failover" && byMoved > 0) wrong.push(`${byMoved} connections go by ${moved}, which is off`);
  return { measured: `${carried.length} connections in the last ${settledMs / 1000} s, ${byMoved} of them by ${moved}, ${astray.length} by two firewalls`, allowed: "one firewall a connection, both ways", meaning: "no way there differs from the way back", wrong, missing: carried.length === 0 ? ["no connection moved then"] : [] };
}

function carriersAlong({ forward, reverse }: Carried): ReadonlySet<string> {
  return new Set([...forward.keys(), ...reverse.keys()]);
}
