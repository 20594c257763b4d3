import type { FlowResumption, TimelineMoment } from "../evidence/timeline.ts";
import { longestWait, type DirectionFigures, type Stall } from "./direction.ts";
import { resumption, type FlowFigures } from "./figures.ts";
import { ledgerPath, ms, type Scene } from "./scene.ts";

/** A silence counts as a stall when it is longer than this many pauses between records: emulated machines keep no exact pace. */
const pausesOfStall = 1.5;

/** When the duty moved: from the fault until the survivor had it. Host's epoch clock. */
export interface Takeover {
  readonly fromMs: number;
  readonly untilMs: number;
  /** When the survivor first forwarded each way; null where that is not known. */
  readonly forwardedAtMs: Readonly<Record<"forward" | "reverse", number | null>>;
}

/**
 * How the stalls of a transition divide, for each flow and direction that stood still over the takeover: until the survivor first forwarded in that
 * direction, and from then on TCP's own back-off, or the flow's pace. An idle flow has no stall; its wait, once it was told to speak, divides in
 * the same way.
 */
export function resumptionsOf(scene: Scene, takeover: Takeover): FlowResumption[] {
  return scene.flows.flatMap((figures) =>
    figures.speaking.flatMap((direction): FlowResumption[] => {
      const stall = stallOf(scene, figures, direction, takeover);
      if (stall === undefined) return [];
      const lastAtMs = direction.arrivals.findLast(({ atMs }) => atMs < (stall.endMs ?? Number.POSITIVE_INFINITY))?.atMs ?? null;
      const parts = { firewallMs: null, backoffMs: null, ...divided(stall, takeover.forwardedAtMs[direction.name]) };
      return [{ id: figures.flow.id, direction: direction.name, lastAtMs, resumedAtMs: stall.endMs ?? null, ...parts }];
    }),
  );
}

function divided({ startMs, endMs }: Stall, forwardedAtMs: number | null): { firewallMs: number; backoffMs: number } | undefined {
  if (endMs === undefined || forwardedAtMs === null) return undefined;
  // What reached the receiver before the survivor forwarded anything had passed the old firewall: then none of the stall is back-off.
  const firewallMs = Math.min(Math.max(forwardedAtMs, startMs), endMs) - startMs;
  return { firewallMs, backoffMs: endMs - startMs - firewallMs };
}

function stallOf({ transition }: Scene, { flow }: FlowFigures, direction: DirectionFigures, takeover: Takeover): Stall | undefined {
  // Records that an idle flow was told to send later wait for nobody's takeover.
  const stall = flow.mode === "idle" ? longestWait(direction, takeover.fromMs, takeover.untilMs) : silenceOver(direction, takeover, transition.after.atMs);
  if (stall === undefined || Number.isNaN(stall.lengthMs) || Number.isNaN(stall.startMs)) return undefined;
  return stall.lengthMs > pausesOfStall * flow.intervalMs ? stall : undefined;
}

/** The longest silence that has a part in the takeover. What was silent before or later was so for another reason. */
function silenceOver({ arrivals }: DirectionFigures, { fromMs, untilMs }: Takeover, lookedAtMs: number): Stall | undefined {
  let longest: Stall | undefined;
  for (const { atMs, silenceMs } of arrivals) {
    const startMs = atMs - silenceMs;
    if (atMs > fromMs && startMs < untilMs && silenceMs > (longest?.lengthMs ?? 0)) longest = { lengthMs: silenceMs, startMs, endMs: atMs };
  }
  const last = arrivals.at(-1);
  const open = last !== undefined && last.atMs < untilMs ? lookedAtMs - last.atMs : 0;
  return last !== undefined && open > (longest?.lengthMs ?? 0) ? { lengthMs: open, startMs: last.atMs, endMs: undefined } : longest;
}

/**
 * When the last of the flows that resumed moved again: with the end of its stall, or without one, with its first record that was sent after the
 * survivor had taken over.
 */
export function lastFlowMoment({ flows, transition, untilMs }: Scene, resumptions: readonly FlowResumption[], { untilMs: takenOverAtMs }: Takeover): TimelineMoment {
  const step = "last-flow-moves";
  const endsOf = new Map<string, (number | null)[]>();
  for (const { id, resumedAtMs } of resumptions) endsOf.set(id, [...(endsOf.get(id) ?? []), resumedAtMs]);
  let last: { readonly id: string; readonly atMs: number; readonly errorMs: number } | undefined;
  let resumed = 0;
  for (const figures of flows) {
    const firsts = figures.speaking.map((direction) => resumption(direction, takenOverAtMs, untilMs));
    const { id } = figures.flow;
    const ends = endsOf.get(id) ?? [];
    const times = firsts.flatMap((first) => first ?? []);
    if (firsts.length === 0 || times.length < firsts.length || ends.includes(null)) continue;
    resumed += 1;
    // An idle flow that did not wait moved when it was told to, which says nothing of the network.
    if (figures.flow.mode === "idle" && ends.length === 0) continue;
    const atMs = Math.max(...(ends.length > 0 ? ends.flatMap((end) => end ?? []) : times.map((time) => time.atMs)));
    if (last === undefined || atMs > last.atMs) last = { id, atMs, errorMs: Math.max(...times.map(({ errorMs }) => errorMs)) };
  }
  if (last === undefined) return { step, subject: "flows", atMs: null, errorMs: 0, detail: "no flow moved again", evidence: "ledgers/" };
  const still = flows.length - resumed;
  const detail = `${last.id}, the last of ${resumed} flows, ${ms(last.atMs - transition.fault.atMs)} after the fault${still > 0 ? `; ${still} never moved again` : ""}`;
  return { step, subject: last.id, atMs: last.atMs, errorMs: last.errorMs, detail, evidence: ledgerPath(last.id) };
}
