import type { Clock, FlowLedger } from "../evidence/ledger.ts";
import type { FlowResult } from "../evidence/run.ts";
import { clockConverters, type HostTime, type ToHostTime } from "./clocks.ts";
import { directionFigures, longestSilence, longestWait, type DirectionFigures, type Stall } from "./direction.ts";

/** A flow in figures, over the whole run. */
export interface FlowFigures {
  readonly flow: FlowLedger;
  /** Both directions, and of them those that are to carry records in this flow's mode. */
  readonly directions: readonly DirectionFigures[];
  readonly speaking: readonly DirectionFigures[];
  readonly errors: readonly { readonly atMs: number; readonly code: string; readonly message: string }[];
  /** Clocks that the ledger names and nobody measured: times of theirs are NaN. */
  readonly unmeasuredClocks: readonly string[];
}

/** Figures of all flows. Machines' times are converted by the clocks' measurements. */
export function figuresOf(flows: readonly FlowLedger[], clocks: readonly Clock[]): FlowFigures[] {
  const converters = clockConverters(clocks);
  return flows.map((flow) => flowFigures(flow, converters));
}

const unknownTime: HostTime = { atMs: Number.NaN, errorMs: Number.POSITIVE_INFINITY };

function flowFigures(flow: FlowLedger, converters: ReadonlyMap<string, ToHostTime>): FlowFigures {
  const unmeasured = new Set<string>();
  const toHost = (clock: string): ToHostTime => {
    const converter = converters.get(clock);
    if (converter === undefined) unmeasured.add(clock);
    return converter ?? (() => unknownTime);
  };
  const figures = (name: "forward" | "reverse") =>
    directionFigures(name, flow[name], toHost(flow[name].sent.clock), toHost(flow[name].received.clock));
  const directions = [figures("forward"), figures("reverse")];
  const errors = flow.errors.map(({ clock, atMs, code, message }) => ({ atMs: toHost(clock)(atMs).atMs, code, message }));
  return { flow, directions, speaking: directions.filter((direction) => speaks(flow, direction)), errors, unmeasuredClocks: [...unmeasured] };
}

/** An idle flow's server speaks first once told; its client may answer. */
function speaks({ mode }: FlowLedger, { name }: DirectionFigures): boolean {
  if (mode === "client") return name === "forward";
  if (mode === "server") return name === "reverse";
  return mode !== "idle" || name === "reverse";
}

/**
 * The first record that a direction carried which was sent after `afterMs`, by more than the clocks' error: undefined when it carried none.
 * What was sent before and came in later may have passed the old firewall, and proves nothing of the new one.
 */
export function resumption({ arrivals }: DirectionFigures, afterMs: number, untilMs: number): HostTime | undefined {
  return arrivals.find(({ sent, atMs }) => sent !== undefined && sent.atMs - sent.errorMs > afterMs && atMs <= untilMs);
}

/** How long a flow stood still at worst: silence at its receivers; for an idle flow, how long a record that it was told to send was under way. */
export function longestStall({ flow, speaking }: FlowFigures, fromMs: number, untilMs: number, lookedAtMs: number): Stall | undefined {
  const stalls = speaking.map((direction) =>
    flow.mode === "idle" ? longestWait(direction, fromMs, untilMs) : longestSilence(direction, fromMs, untilMs, lookedAtMs),
  );
  return stalls.reduce((worst, stall) => (stall !== undefined && (worst === undefined || stall.lengthMs > worst.lengthMs) ? stall : worst), undefined);
}

/** A flow's line in the run's result. `lookedAtMs`: when the flows were last looked at; a silence that lasted until then counts. */
export function flowResult(figures: FlowFigures, survived: boolean, lookedAtMs: number): FlowResult {
  const { flow, directions } = figures;
  const sum = (count: (direction: DirectionFigures) => number) => directions.reduce((total, direction) => total + count(direction), 0);
  const stall = flow.mode === "idle" ? undefined : longestStall(figures, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, lookedAtMs);
  return {
    id: flow.id,
    kind: flow.kind,
    mode: flow.mode,
    tuple: flow.tuple,
    natTuple: flow.natTuple,
    sent: sum((direction) => direction.sent),
    received: sum((direction) => direction.received),
    lost: sum((direction) => direction.lost.length),
    duplicated: sum((direction) => direction.duplicatedAt.length),
    reordered: sum((direction) => direction.reorderedAt.length),
    corrupt: sum((direction) => direction.corrupt),
    stallMs: stall === undefined || Number.isNaN(stall.lengthMs) ? null : Math.round(stall.lengthMs),
    resets: flow.errors.filter((error) => /RESET|EPIPE|\bRST\b/iu.test(error.code)).length,
    survived,
  };
}
