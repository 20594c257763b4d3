import type { DirectionFigures } from "./direction.ts";
import { resumption, type FlowFigures } from "./figures.ts";
import { addressWithPort } from "../topology/address.ts";
import { ms, type Scene } from "./scene.ts";

/** Of a scene, what a flow's survival depends on, whatever the topology. */
type Transit = Pick<Scene, "evidence" | "transition" | "startMs" | "untilMs">;

/** What became of one flow in one transition. */
export interface Survival {
  readonly flowId: string;
  /** Why it did not survive; empty when it did. */
  readonly faults: readonly string[];
  /** Datagrams lost while nobody forwarded: allowed for UDP. */
  readonly lostInOutage: number;
}

/**
 * Judges one flow in one transition: every direction that speaks carried a record sent after the fault and was still moving when last looked at;
 * nothing corrupt, doubled, out of order or lost; one 4-tuple, accepted once, no error. UDP may lose what was sent in the outage.
 */
export function survivalOf(scene: Transit, figures: FlowFigures): Survival {
  const { transition, untilMs } = scene;
  const { flow, speaking, directions, errors } = figures;
  const faultMs = transition.fault.atMs;
  const faults: string[] = [];
  let lostInOutage = 0;

  if (speaking.length === 0 || speaking.every(({ sent }) => sent === 0)) faults.push("sent nothing");
  for (const direction of speaking) {
    if (resumption(direction, faultMs, untilMs) === undefined) faults.push(`${direction.name}: nothing sent after the fault arrived`);
    else if (flow.mode !== "idle" && stopped(scene, figures, direction)) faults.push(`${direction.name}: stopped again after the fault`);
  }
  for (const direction of directions) {
    const own = (times: readonly number[]) => times.filter((atMs) => inWindow(scene, flow.intervalMs, atMs)).length;
    const lost = direction.lost.filter(({ atMs }) => inWindow(scene, flow.intervalMs, atMs));
    const outage = flow.kind === "udp" ? outageOf(scene, figures, direction) : undefined;
    const excused = outage === undefined ? 0 : lost.filter(({ atMs, errorMs }) => atMs + errorMs >= outage.fromMs && atMs - errorMs <= outage.untilMs).length;
    lostInOutage += excused;
    const counts: [number, string][] = [
      [lost.length - excused, flow.kind === "udp" ? "lost outside the outage" : "lost"],
      [own(direction.duplicatedAt), "doubled"],
      [own(direction.reorderedAt), "out of order"],
      [direction.corrupt, "corrupt"],
    ];
    faults.push(...counts.filter(([count]) => count > 0).map(([count, what]) => `${direction.name}: ${count} of ${direction.sent} ${what}`));
  }
  if (flow.accepted !== 1) faults.push(`accepted ${flow.accepted} times`);
  const sources = new Set(flow.serverSawSources.map(({ address, port }) => addressWithPort(address, port)));
  const expected = addressWithPort(flow.natTuple.source.address, flow.natTuple.source.port);
  if (sources.size !== 1 || !sources.has(expected)) faults.push(`the server saw ${[...sources].join(", ")} instead of ${expected} alone`);
  const error = errors.find(({ atMs }) => !(atMs > untilMs));
  if (error !== undefined) faults.push(`${error.code}${Number.isFinite(error.atMs) ? ` ${ms(error.atMs - faultMs)} after the fault` : ""}: ${error.message}`);
  return { flowId: flow.id, faults, lostInOutage };
}

/** Records shortly before a transition's fault may be its victims, so its time begins one interval early; and with it the one before ends. */
function inWindow({ transition, startMs, untilMs, evidence }: Transit, intervalMs: number, atMs: number): boolean {
  const first = evidence.transitions.every((other) => other.fault.atMs >= transition.fault.atMs);
  return (first || atMs >= startMs - intervalMs) && !(atMs >= untilMs - intervalMs);
}

/** Whether nothing arrived in the last moments before the flows were looked at: a flow that moves and then dies did not survive. */
function stopped({ transition }: Transit, { flow }: FlowFigures, { arrivals }: DirectionFigures): boolean {
  const lookedAtMs = transition.after.atMs;
  const patienceMs = Math.max(5 * flow.intervalMs, 1000);
  return !arrivals.some(({ atMs, errorMs }) => atMs >= lookedAtMs - patienceMs - errorMs);
}

/** When a direction's datagrams may get lost: from the fault to its first record after it, and one interval around, for what was under way. */
function outageOf({ transition, startMs, untilMs }: Transit, { flow }: FlowFigures, direction: DirectionFigures): { fromMs: number; untilMs: number } | undefined {
  const resumed = resumption(direction, transition.fault.atMs, untilMs);
  return resumed && { fromMs: startMs - flow.intervalMs, untilMs: resumed.atMs + resumed.errorMs + flow.intervalMs };
}
