import type { DirectionFigures } from "../../judge/direction.ts";
import { longestStall, resumption, type FlowFigures } from "../../judge/figures.ts";
import { survivalOf } from "../../judge/survival.ts";
import { zeroOf, type RunStory, type TransitionStory } from "./runInput.ts";

/** A record that came in: seconds since the fault, and its number counted from the first one shown. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One direction of a flow around a transition. */
export interface DirectionProgress {
  readonly name: "forward" | "reverse";
  readonly arrivals: readonly Point[];
  /** Records that never came in, at the time when they were sent. */
  readonly lost: readonly Point[];
  readonly lostCount: number;
}

/** One flow around a transition. */
export interface FlowProgress {
  readonly id: string;
  readonly kind: string;
  readonly mode: string;
  readonly directions: readonly DirectionProgress[];
  /** Longest stall, in seconds since the fault; `until` is undefined when it did not end. */
  readonly stall: { readonly from: number; readonly until: number | undefined; readonly lengthMs: number } | undefined;
  /** Why it did not survive the transition. */
  readonly faults: readonly string[];
}

/** The time around a transition that is shown, in seconds since the fault; `zeroMs` is the fault on the host's clock. */
export interface Window {
  readonly zeroMs: number;
  readonly from: number;
  readonly until: number;
}

/** Records of a direction that are kept for its line, about. */
const mostPoints = 40;
const beforeMs = 2_000;
const afterMs = 3_000;
/** What is shown of a flow that never moves again. */
const deadMs = 10_000;

/** From shortly before the fault until the last flow moves well again. */
export function windowOf(story: RunStory, { transition, untilMs }: TransitionStory): Window {
  const zeroMs = zeroOf(story, transition);
  let endMs = zeroMs + afterMs;
  for (const { speaking } of story.figures) {
    for (const direction of speaking) endMs = Math.max(endMs, (resumption(direction, transition.fault.atMs, untilMs)?.atMs ?? zeroMs + deadMs) + afterMs);
  }
  const until = Math.min(endMs, Math.max(transition.after.atMs, zeroMs + afterMs), untilMs);
  return { zeroMs, from: -beforeMs / 1000, until: (until - zeroMs) / 1000 };
}

/** How bad a flow's transition was, for the order in which flows are shown: dead ones first, then by stall. */
export function stallOf(figures: FlowFigures, { transition, startMs, untilMs }: TransitionStory) {
  return longestStall(figures, startMs, untilMs, transition.after.atMs);
}

/** A flow's records around a transition, thinned so that what stands still is seen and the rest stays small. */
export function progressOf(figures: FlowFigures, here: TransitionStory, window: Window): FlowProgress {
  const { flow, directions } = figures;
  const since = (atMs: number) => (atMs - window.zeroMs) / 1000;
  const stall = stallOf(figures, here);
  return {
    id: flow.id,
    kind: flow.kind,
    mode: flow.mode,
    directions: directions.filter(({ sent, arrivals }) => sent > 0 || arrivals.length > 0).map((direction) => directionProgress(direction, flow.intervalMs, window)),
    stall: stall === undefined || Number.isNaN(stall.lengthMs) ? undefined : { from: since(stall.startMs), until: stall.endMs === undefined ? undefined : since(stall.endMs), lengthMs: stall.lengthMs },
    faults: here.scene === undefined ? [] : survivalOf(here.scene, figures).faults,
  };
}

function directionProgress({ name, arrivals, lost }: DirectionFigures, intervalMs: number, { zeroMs, from, until }: Window): DirectionProgress {
  const shown = arrivals.filter(({ atMs }) => within(atMs, zeroMs, from, until));
  const missing = lost.filter(({ atMs }) => within(atMs, zeroMs, from, until));
  const base = Math.min(...shown.map(({ seq }) => seq).slice(0, 1), ...missing.map(({ seq }) => seq).slice(0, 1));
  const point = ({ atMs, seq }: { readonly atMs: number; readonly seq: number }): Point => ({ x: Math.round(atMs - zeroMs) / 1000, y: seq - base });
  const every = Math.max(1, Math.ceil(shown.length / mostPoints));
  const long = Math.max(3 * intervalMs, 200);
  const kept = shown.filter(({ silenceMs }, index) => index % every === 0 || index === shown.length - 1 || silenceMs > long || (shown[index + 1]?.silenceMs ?? 0) > long);
  const everyLost = Math.max(1, Math.ceil(missing.length / mostPoints));
  return { name, arrivals: kept.map(point), lost: missing.filter((_, index) => index % everyLost === 0).map(point), lostCount: missing.length };
}

function within(atMs: number, zeroMs: number, from: number, until: number): boolean {
  return atMs >= zeroMs + from * 1000 && atMs <= zeroMs + until * 1000;
}

/** Records that came in of all flows of a kind, in each step of the window. */
export interface KindRate {
  readonly kind: string;
  readonly points: readonly { readonly x: number; readonly records: number }[];
}

/** Seconds of a step. */
export const rateStep = 0.1;

export function ratesOf(figures: readonly FlowFigures[], { zeroMs, from, until }: Window): KindRate[] {
  const steps = Math.max(1, Math.floor((until - from) / rateStep));
  const kinds = [...new Set(figures.map(({ flow }) => flow.kind))];
  return kinds.map((kind) => {
    const counts = new Array<number>(steps).fill(0);
    for (const { flow, directions } of figures) {
      if (flow.kind !== kind) continue;
      for (const { arrivals } of directions) {
        for (const { atMs } of arrivals) {
          const step = Math.floor(((atMs - zeroMs) / 1000 - from) / rateStep);
          const count = counts[step];
          if (count !== undefined) counts[step] = count + 1;
        }
      }
    }
    return { kind, points: counts.map((records, step) => ({ x: Math.round((from + step * rateStep) * 1000) / 1000, records })) };
  });
}
