import type { Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { CheckResult, FlowResult, Outage, Verdict } from "../evidence/run.ts";
import type { Stretch } from "../evidence/sandwichFigures.ts";
import type { Drops, Timeline } from "../evidence/timeline.ts";
import { sandwiches, type SandwichTopology } from "../topology/sandwich.ts";
import type { PairTopology, Topology } from "../topology/topology.ts";
import { captureWhole } from "./captureWhole.ts";
import { comesUp } from "./comesUp.ts";
import { dropsOf } from "./drops.ts";
import { faultBit } from "./faultBit.ts";
import { figuresOf, flowResult } from "./figures.ts";
import { flowsSurvive } from "./flowsSurvive.ts";
import { newConnections } from "./newConnections.ts";
import { noDropsOnSurvivor } from "./noDropsOnSurvivor.ts";
import { outageOf } from "./outage.ts";
import { outageInBound } from "./outageInBound.ts";
import { replicatedBefore } from "./replicatedBefore.ts";
import { sandwichChecks } from "./sandwichChecks.ts";
import { endOf, firstOf, startOf, type Check, type Scene } from "./scene.ts";
import { stretchesOf } from "./stretches.ts";
import { stateOnSurvivor } from "./stateOnSurvivor.ts";
import { steadyBefore } from "./steadyBefore.ts";
import { sandwichTimelines } from "./sandwichTimelines.ts";
import { survivalOf, type Survival } from "./survival.ts";
import { timelineOf } from "./timeline.ts";
import { pairs } from "./topologies.ts";
import { vipsMoved } from "./vipsMoved.ts";

/** Checks of every transition by id, in the order in which they are told. */
export const checks = {
  "steady-before": steadyBefore,
  "replicated-before": replicatedBefore,
  "fault-bit": faultBit,
  "vips-moved": vipsMoved,
  "flows-survive": flowsSurvive,
  "no-drops-on-survivor": noDropsOnSurvivor,
  "state-on-survivor": stateOnSurvivor,
  "outage-in-bound": outageInBound,
  "new-connections": newConnections,
} as const satisfies Record<string, Check>;

/** Checks of what was there before the duty moved: they judge nothing where that moved before anybody had looked. What came of it the others judge. */
const ofBefore: ReadonlySet<string> = new Set<CheckId>(["steady-before", "replicated-before"]);

export type CheckId = keyof typeof checks;

export interface Judgement {
  readonly verdict: Verdict;
  /** Why the verdict is what it is, in one line. */
  readonly reason: string;
  readonly checks: CheckResult[];
  readonly flows: FlowResult[];
  /** One entry a transition, in the order in which they happened. */
  readonly outages: Outage[];
  readonly timelines: Timeline[];
  readonly drops: Drops[];
  /** Of a sandwich's run. */
  readonly stretches?: Stretch[];
}

export interface JudgeOptions {
  /** The lab's map; by default the one that the evidence names. */
  readonly topology?: PairTopology | undefined;
  /** The run's capture, decoded, in the order of the packets' times. Without one, what only packets can tell is not told. */
  readonly packets?: readonly Packet[] | undefined;
}

/**
 * Judges a run from its evidence alone: the same evidence gives the same judgement.
 *
 * Invalid when the run cannot judge: interrupted, host starved, capture not whole, no transition, fault without effect, or evidence missing that the lab owes
 * (flows, clocks, probes, endpoints' and bridges' views). A firewall's view that is missing is the pair's failure: machines under test have
 * to answer. Invalid dominates fail, and fail dominates pass.
 */
export function judge(evidence: Evidence, { topology = pairs.get(evidence.topology), packets }: JudgeOptions = {}): Judgement {
  const sandwich = sandwiches.get(evidence.topology);
  if (sandwich !== undefined) return judgeSandwich(evidence, sandwich, packets);
  const figures = figuresOf(evidence.flows, evidence.clocks);
  const transitions = evidence.transitions.toSorted((a, b) => a.fault.atMs - b.fault.atMs);
  const results: CheckResult[] = [hostHealth(evidence), ...(evidence.comingUp === undefined ? [] : [comesUp(evidence.comingUp)])];
  const outages: Outage[] = [];
  const drops: Drops[] = [];
  const timelines: Timeline[] = [];
  const survivals: (readonly Survival[])[] = [];
  if (topology !== undefined) {
    const capture = captureWhole(evidence, topology, packets);
    if (capture !== undefined) results.push(capture);
    for (const transition of transitions) {
      const scene: Scene = { evidence, topology, transition, flows: figures, packets, startMs: startOf(transition), untilMs: endOf(evidence, transition) };
      const survivalsHere = figures.map((flow) => survivalOf(scene, flow));
      survivals.push(survivalsHere);
      outages.push(outageOf(scene, survivalsHere));
      drops.push(...[dropsOf(scene)?.drops].filter((told) => told !== undefined));
      const timeline = timelineOf(scene);
      if (timeline.moments.some(({ atMs }) => atMs !== null)) timelines.push(timeline);
      results.push(...Object.entries(checks).flatMap(([id, check]: [string, Check]) => (transition.unseenBefore !== undefined && ofBefore.has(id) ? [] : [check(scene)])));
    }
  }
  const survived = (index: number) => survivals.length > 0 && survivals.every((here) => here[index]?.faults.length === 0);
  const lookedAtMs = transitions.at(-1)?.after.atMs ?? Number.NEGATIVE_INFINITY;
  const flows = figures.map((flow, index) => flowResult(flow, survived(index), lookedAtMs));
  return { ...verdictOf(evidence, topology, results, flows), checks: results, flows, outages, timelines, drops };
}

/** Judges a sandwich's run: who carried what, and what became of the flows when a firewall lost its power. */
function judgeSandwich(evidence: Evidence, sandwich: SandwichTopology, packets: readonly Packet[] | undefined): Judgement {
  const capture = captureWhole(evidence, sandwich, packets);
  const { checks: own, flows, outages } = sandwichChecks(evidence, sandwich, packets);
  const results = [hostHealth(evidence), ...(capture === undefined ? [] : [capture]), ...own];
  return { ...verdictOf(evidence, sandwich, results, flows), checks: results, flows, outages, timelines: sandwichTimelines(evidence, sandwich, packets), drops: [], stretches: stretchesOf(evidence, sandwich, packets) };
}

function hostHealth({ hostHealth: { worstTimerDelayMs, allowedTimerDelayMs, standstills, unreadDatagrams } }: Evidence): CheckResult {
  const worst = standstills?.toSorted((a, b) => b.worstMs - a.worstMs)[0];
  const keptPace = Math.max(worstTimerDelayMs, worst?.worstMs ?? 0) <= allowedTimerDelayMs;
  const unread = (unreadDatagrams ?? []).filter(({ count }) => count > 0).map(({ machine, count }) => `${machine} dropped ${count} datagrams that had reached it`);
  const starved = keptPace ? "an endpoint was starved, so what is lost may be its loss" : "the host was starved, so a stall may be the host's";
  const healthy = keptPace && unread.length === 0;
  return {
    id: "host-health",
    phase: "run",
    verdict: healthy ? "pass" : "invalid",
    measured: `a timer of the host woke ${Math.round(worstTimerDelayMs)} ms late at worst${worst === undefined ? "" : `, ${worst.machine} was held up for ${Math.round(worst.worstMs)} ms`}${unread.map((told) => `, ${told}`).join("")}`,
    allowed: `at most ${Math.round(allowedTimerDelayMs)} ms${unreadDatagrams === undefined ? "" : "; no datagram that an endpoint does not get to"}`,
    explanation: healthy ? "the host kept pace, so stalls are the firewalls'" : `cannot be judged: ${starved} and not the firewalls'`,
    evidence: ["evidence.json"],
  };
}

function verdictOf(evidence: Evidence, topology: Topology | undefined, results: readonly CheckResult[], flows: readonly FlowResult[]): Pick<Judgement, "verdict" | "reason"> {
  const invalid = (reason: string) => ({ verdict: "invalid" as const, reason });
  if (evidence.interrupted !== undefined) return invalid(`the run did not come to its end: ${evidence.interrupted}`);
  if (topology === undefined) return invalid(`unknown topology ${evidence.topology}`);
  const neverUp = results.some(({ id, verdict }) => id === "comes-up" && verdict === "fail");
  if (evidence.transitions.length === 0 && evidence.acts === undefined && !neverUp) return invalid("nothing was broken: the run has no transition");
  const worst = (["invalid", "fail"] as const).find((verdict) => results.some((result) => result.verdict === verdict));
  const moves = evidence.transitions.map(({ phase }) => phase).join(" and ");
  if (worst === undefined) return { verdict: "pass", reason: moves === "" ? `all ${results.length} checks hold` : `all ${flows.length} flows survived ${moves}, and all ${results.length} checks hold` };
  const named = results.filter((result) => result.verdict === worst);
  const first = named[0];
  const rest = named.slice(1).map((result) => `${result.id} (${result.phase})`);
  return { verdict: worst, reason: `${first?.id ?? ""} (${first?.phase ?? ""}): ${first?.explanation ?? ""}${rest.length > 0 ? `; also ${firstOf(rest)}` : ""}` };
}
