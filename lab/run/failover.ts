import type { FaultRecord, Probe, Transition } from "../evidence/evidence.ts";
import type { Resumption } from "../traffic/watch.ts";
import type { LabRun } from "./labRun.ts";

/**
 * Longest time that a flow may stand still: three adverts and the skew until the backup takes over (RFC 5798, 6.1: at most 4 s at an advert
 * interval of 1 s), doubled by TCP's backoff, which may just have missed the end of the outage, and a margin for an emulated machine.
 */
export const outageBoundMs = 10_000;

/** How long flows are waited for. Longer than the bound, so that a check can say when they would have been there. */
const resumeWithinMs = 25_000;

/** Steady traffic around a transition, in milliseconds: RFC 6413 wants the state before and after to be stable; the second set of gratuitous ARPs comes after 5 s. */
const steadyMs = 6_000;

export interface FailoverOptions {
  readonly from: string;
  readonly to: string;
  /** Breaks something, and says when it struck. */
  readonly strike: () => Promise<FaultRecord>;
}

export interface FailoverOutcome {
  readonly transition: Transition;
  /** Flows that did not move again. */
  readonly notResumed: readonly string[];
}

/**
 * One failover: the policy is asked and everything looked at while `from` has the duty and the flows are steady, the fault strikes, the server
 * speaks first on flows that were idle, flows are waited for, and once they are steady everything has been asked and is looked at again.
 */
export async function failover(run: LabRun, { from, to, strike }: FailoverOptions): Promise<FailoverOutcome> {
  const [probes, before] = await Promise.all([run.ask("before"), run.observe("failover-before"), run.wait(steadyMs)]);
  await run.measureClocks();
  const fault = await strike();
  run.progress.note(`fault: ${fault.effect.measured}`);
  const wakeAndResume = async () => {
    await run.flows.wake(run.signal);
    return run.timed("resumeMs", () => run.flows.resumed({ afterMs: fault.atMs, within: resumeWithinMs, signal: run.signal }));
  };
  const { notResumed, laterProbes } = await untilSteady(run, wakeAndResume());
  probes.push(...laterProbes);
  const transition: Transition = { phase: "failover", from, to, fault, before, after: await run.observe("failover-after"), probes, outageBoundMs };
  run.transitions.push(transition);
  return { transition, notResumed };
}

/** Asks the policy while the flows resume and once they have, and waits until they are steady. */
async function untilSteady(run: LabRun, resumption: Promise<Resumption>): Promise<{ notResumed: readonly string[]; laterProbes: Probe[] }> {
  const asked = async (): Promise<Probe[]> => {
    const during = await run.ask("during");
    await resumption;
    return [...during, ...(await run.ask("after"))];
  };
  const steady = async (): Promise<Resumption> => {
    const resumed = await resumption;
    await run.wait(steadyMs);
    return resumed;
  };
  const [{ notResumed }, laterProbes] = await Promise.all([steady(), asked()]);
  return { notResumed, laterProbes };
}

/**
 * The way back: the machine that lost its power boots again, gets the states while the other still has the duty, and takes it over. Judged by
 * the same checks as the failover. Its moment is the last look at which the addresses had not come yet.
 */
export async function failback(run: LabRun, { from, to }: Omit<FailoverOptions, "strike">): Promise<FailoverOutcome> {
  const bootedAtMs = Date.now();
  const [probes] = await Promise.all([run.ask("before"), run.timed("rebootMs", () => run.lab.boot(to))]);
  await run.followEvents();
  await run.replicatedTo(to);
  const before = await run.observe("failback-before");
  const owned = await run.ownedBy(to);
  const atMs = owned.lastUnreachedAtMs ?? before.atMs;
  const fault: FaultRecord = {
    id: "failback",
    target: to,
    atMs,
    effect: {
      bit: owned.reached && owned.lastUnreachedAtMs !== undefined,
      measured: owned.reached
        ? `${to} took the virtual addresses back ${((atMs - bootedAtMs) / 1000).toFixed(1)} s after it was switched on`
        : `${to} did not take the virtual addresses back; ${owned.seen}`,
      evidence: "observations/failback-after",
    },
  };
  run.progress.note(`failback: ${fault.effect.measured}`);
  const { notResumed, laterProbes } = await untilSteady(run, run.flows.resumed({ afterMs: Date.now(), within: resumeWithinMs, signal: run.signal }));
  probes.push(...laterProbes);
  const transition: Transition = { phase: "failback", from, to, fault, before, after: await run.observe("failback-after"), probes, outageBoundMs };
  run.transitions.push(transition);
  return { transition, notResumed };
}
