import type { Evidence, Transition } from "../evidence/evidence.ts";
import type { FirewallViews, Look, Observation } from "../evidence/observation.ts";
import type { Packet } from "../evidence/packet.ts";
import type { CheckResult } from "../evidence/run.ts";
import type { PairTopology } from "../topology/topology.ts";
import type { FlowFigures } from "./figures.ts";

/** What a check judges: one transition, with the flows' figures and the lab's map. */
export interface Scene {
  readonly evidence: Evidence;
  readonly topology: PairTopology;
  readonly transition: Transition;
  readonly flows: readonly FlowFigures[];
  /** All packets of the run's capture, in the order of their times; undefined without one. */
  readonly packets: readonly Packet[] | undefined;
  /** From when on what happens is this transition's doing. */
  readonly startMs: number;
  /** When the next transition begins; without one, never. */
  readonly untilMs: number;
}

/**
 * A returning firewall's take-over is found by asking it again and again, so it may have begun this long before it was seen.
 * A fault that the lab strikes itself is known to the moment.
 */
const detectionLagMs = 1000;

/** When a transition began, at the earliest. */
export function startOf(transition: Transition): number {
  return isReturn(transition) ? transition.fault.atMs - detectionLagMs : transition.fault.atMs;
}

/** When the transition after this one begins; without one, never. */
export function endOf({ transitions }: Pick<Evidence, "transitions">, transition: Transition): number {
  return Math.min(...transitions.filter(({ fault }) => fault.atMs > transition.fault.atMs).map(startOf));
}

/** Whether the duty moved because its machine is back, and the other gave it up alive; else the lab struck. */
export function isReturn({ fault }: Pick<Transition, "fault">): boolean {
  return fault.id === returnId;
}

/** Id of the fault that is none: the return of a machine. */
export const returnId = "failback";

/** A judged statement about one transition. Pure: the same scene gives the same result. */
export type Check = (scene: Scene) => CheckResult;

/** What a check found, before it is put in words. */
export interface Finding {
  /** In figures, standing alone. */
  readonly measured: string;
  readonly allowed: string;
  /** What it means when all is well. */
  readonly meaning: string;
  /** What the pair did wrong, worst first. A machine under test that should answer and does not is wrong. */
  readonly wrong: readonly string[];
  /** What helps to understand a failure, whatever the first of `wrong` are. */
  readonly remark?: string;
  /** Evidence that the lab owes and does not have: then nothing can be said. */
  readonly missing: readonly string[];
  readonly evidence: readonly string[];
}

/**
 * Puts a finding in words. What the lab owes makes the check invalid, whatever else was found; else anything wrong makes it fail.
 */
export function conclude({ transition }: Scene, id: string, { measured, allowed, meaning, wrong, remark, missing, evidence }: Finding): CheckResult {
  const verdict = missing.length > 0 ? "invalid" : wrong.length > 0 ? "fail" : "pass";
  const explanation =
    verdict === "pass" ? meaning : verdict === "fail" ? [firstOf(wrong, "; "), ...(remark === undefined ? [] : [remark])].join("; ") : `cannot be judged: ${firstOf(missing, "; ")}`;
  return { id, phase: transition.phase, verdict, measured, allowed, explanation, evidence: [...new Set(evidence)] };
}

/** The first three of many, and how many more there are. */
export function firstOf(items: readonly string[], separator = ", "): string {
  const more = items.length - 3;
  return items.slice(0, 3).join(separator) + (more > 0 ? ` and ${more} more` : "");
}

/**
 * A view of a firewall, or what is wrong with it: machines under test have to answer.
 * @param wrong takes the reason when there is none.
 * @param evidence takes the file of the raw answer.
 */
export function viewOf<K extends keyof FirewallViews>(
  observation: Observation,
  machine: string,
  view: K,
  { wrong, evidence }: { wrong: string[]; evidence: string[] },
): Extract<FirewallViews[K], { ok: true }>["data"] | undefined {
  const views = observation.firewalls[machine];
  if (views === undefined) {
    wrong.push(`${machine} was not seen ${observation.moment}`);
    return undefined;
  }
  // The views of a firewall are looks at different data; each has the data of its own key.
  return dataOf(views[view] as Look<Extract<FirewallViews[K], { ok: true }>["data"]>, `${machine}: ${view} ${observation.moment}`, { wrong, evidence });
}

/** The data of a look, or undefined with the reason in `wrong`. */
export function dataOf<T>(look: Look<T>, what: string, { wrong, evidence }: { wrong: string[]; evidence: string[] }): T | undefined {
  evidence.push(look.source);
  if (look.ok) return look.data;
  wrong.push(`${what}: ${look.error}`);
  return undefined;
}

/** Flows that a check is about; without any, or with times that cannot be converted, the lab owes evidence. */
export function missingFlowEvidence({ flows }: Scene): string[] {
  if (flows.length === 0) return ["the run has no flows"];
  const clocks = new Set(flows.flatMap((figures) => figures.unmeasuredClocks));
  return [...clocks].map((clock) => `clock ${clock} was not measured against the host's`);
}

/** Bundle file of a flow's ledger. */
export function ledgerPath(flowId: string): string {
  return `ledgers/${encodeURIComponent(flowId)}.json`;
}

/** Bundle files that show what happened to these flows: their ledgers, at most ten of them; all of them when no flow is named. */
export function ledgersOf(flowIds: readonly string[]): string[] {
  return flowIds.length === 0 ? ["ledgers/"] : flowIds.slice(0, 10).map(ledgerPath);
}

/** Milliseconds as people read them. */
export function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
