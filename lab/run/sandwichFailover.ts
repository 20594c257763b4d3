import type { FaultRecord } from "../evidence/evidence.ts";
import { powerCut } from "../faults/powerCut.ts";
import { outageBoundMs } from "./failover.ts";
import type { SandwichRun } from "./sandwichRun.ts";

/** Breaks a machine of a sandwich, and says when. */
export type SandwichStrike = (run: SandwichRun, target: string) => Promise<FaultRecord>;

/** Its power is cut. */
export const cutPower: SandwichStrike = (run, target) => powerCut(run.lab.machine(target));

/** Steady traffic around a transition of a sandwich, in milliseconds (RFC 6413). */
export const steadyMs = 5_200;
/** How long flows of a sandwich may take to move again, in milliseconds. */
export const resumeWithinMs = outageBoundMs + 15_000;

export interface SandwichFailover<T> {
  /** The machine that is struck, and the one that is to carry on. */
  readonly victim: string;
  readonly survivor: string;
  readonly strike: SandwichStrike;
  /** Milliseconds for which flows are waited for. */
  readonly within: number;
  /** What else is done while traffic is steady again: it is told the flows that did not resume. */
  readonly meanwhile?: (notResumed: readonly string[]) => Promise<T>;
}

/** A machine of a sandwich is struck under open flows: steady traffic and a look before, the strike, steady traffic and a look after. The transition is the run's evidence. Gives what was given meanwhile, if anything. @throws Failure when a machine does not answer. */
export async function sandwichFailover<T>(run: SandwichRun, { victim, survivor, strike, within, meanwhile }: SandwichFailover<T>): Promise<T | undefined> {
  await run.followEvents();
  const [before] = await Promise.all([run.observe("failover-before"), run.wait(steadyMs)]);
  await run.measureClocks();
  const fault = await strike(run, victim);
  run.progress.note(`fault: ${fault.effect.measured}`);
  await run.flows.wake(run.signal);
  const { notResumed } = await run.flows.resumed({ afterMs: fault.atMs, within, signal: run.signal });
  const [given] = await Promise.all([meanwhile?.(notResumed), run.wait(steadyMs)]);
  run.transitions.push({ phase: "failover", from: victim, to: survivor, fault, before, after: await run.observe("failover-after"), probes: [], outageBoundMs });
  return given;
}
