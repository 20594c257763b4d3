import { max } from "simple-statistics";
import type { FlowKind } from "../evidence/ledger.ts";
import type { Outage } from "../evidence/run.ts";
import { distributionOf } from "./distribution.ts";
import { longestStall, resumption } from "./figures.ts";
import type { Scene } from "./scene.ts";
import type { Survival } from "./survival.ts";

/** How long one flow that resumed stood still in one transition, in milliseconds; an idle one: how long its records were under way. */
export interface FlowStall {
  readonly id: string;
  readonly kind: FlowKind;
  readonly idle: boolean;
  readonly lengthMs: number;
}

/** A transition's outage as its flows tell it. */
export interface OutageFigures extends Omit<Outage, "phase" | "survived" | "flows"> {
  /** Of the flows that resumed, the longest first. */
  readonly flowStalls: readonly FlowStall[];
  /** Flows that resumed with too few records for a stall. */
  readonly unmeasured: number;
}

/**
 * The outage of one transition in figures: what the check `outage-in-bound` holds against the bound, and what `run.json` publishes.
 * UDP flows tell the network's own outage: TCP adds its retransmission back-off. An idle flow has no stall, so its waits are told apart.
 */
export function outageFigures({ transition, flows, startMs, untilMs }: Pick<Scene, "transition" | "flows" | "startMs" | "untilMs">): OutageFigures {
  const { fault, after } = transition;
  const resumed = flows.filter(({ speaking }) => speaking.length > 0 && speaking.every((direction) => resumption(direction, fault.atMs, untilMs) !== undefined));
  const flowStalls = resumed
    .flatMap((figures): FlowStall[] => {
      const { id, kind, mode } = figures.flow;
      const stall = longestStall(figures, startMs, untilMs, after.atMs);
      return stall === undefined || Number.isNaN(stall.lengthMs) ? [] : [{ id, kind, idle: mode === "idle", lengthMs: stall.lengthMs }];
    })
    .toSorted((a, b) => b.lengthMs - a.lengthMs);
  const lengths = (which: (stall: FlowStall) => boolean) => flowStalls.filter(which).map(({ lengthMs }) => lengthMs);
  return {
    networkMs: longest(lengths(tellsNetwork)),
    stalls: distributionOf(lengths(({ idle }) => !idle)),
    longestIdleWaitMs: longest(lengths(({ idle }) => idle)),
    neverResumed: flows.filter((figures) => !resumed.includes(figures)).map(({ flow }) => flow.id),
    flowStalls,
    unmeasured: resumed.length - flowStalls.length,
  };
}

/** Whether a flow's stall is the network's own: a datagram waits for nobody, and a flow that speaks shows every gap. */
export function tellsNetwork({ kind, idle }: FlowStall): boolean {
  return kind === "udp" && !idle;
}

/** A transition's entry in `run.json`. `survivals` are those of the scene's flows. */
export function outageOf(scene: Parameters<typeof outageFigures>[0], survivals: readonly Survival[]): Outage {
  const { networkMs, stalls, longestIdleWaitMs, neverResumed } = outageFigures(scene);
  const survived = survivals.filter(({ faults }) => faults.length === 0).length;
  return { phase: scene.transition.phase, networkMs, stalls, longestIdleWaitMs, neverResumed, survived, flows: scene.flows.length };
}

function longest(lengthsMs: number[]): number | null {
  return lengthsMs.length === 0 ? null : Math.round(max(lengthsMs));
}
