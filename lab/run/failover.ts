import type { FaultRecord, Transition } from "../evidence/evidence.ts";
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
 * One failover: the policy is asked and everything looked at while `from` has the duty, the fault strikes, the server speaks first on flows that
 * were idle, flows are waited for, and once they are steady everything is asked and looked at again.
 */
export async function failover(run: LabRun, { from, to, strike }: FailoverOptions): Promise<FailoverOutcome> {
  const probes = await run.ask("before");
  await run.wait(steadyMs);
  await run.measureClocks();
  const before = await run.observe("failover-before");
  const fault = await strike();
  run.progress.note(`fault: ${fault.effect.measured}`);
  const during = run.ask("during");
  const [{ notResumed }, duringProbes] = await Promise.all([resumption(run, fault.atMs), during]);
  await run.wait(steadyMs);
  probes.push(...duringProbes, ...(await run.ask("after")));
  const transition: Transition = { phase: "failover", from, to, fault, before, after: await run.observe("failover-after"), probes, outageBoundMs };
  run.transitions.push(transition);
  return { transition, notResumed };
}

/** Wakes idle flows, so that the first packet of theirs after the fault is the server's, and waits for all to move. */
async function resumption(run: LabRun, afterMs: number) {
  await run.flows.wake(run.signal);
  return run.timed("resumeMs", () => run.flows.resumed({ afterMs, within: resumeWithinMs, signal: run.signal }));
}

/**
 * The way back: the machine that lost its power boots again, gets the states while the other still has the duty, and takes it over. Judged by
 * the same checks as the failover. Its moment is the last look at which the addresses had not come yet.
 */
export async function failback(run: LabRun, { from, to }: Omit<FailoverOptions, "strike">): Promise<FailoverOutcome> {
  const bootedAtMs = Date.now();
  const [probes] = await Promise.all([run.ask("before"), run.timed("rebootMs", () => run.lab.boot(to))]);
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
  const [{ notResumed }, duringProbes] = await Promise.all([
    run.flows.resumed({ afterMs: Date.now(), within: resumeWithinMs, signal: run.signal }),
    run.ask("during"),
  ]);
  await run.wait(steadyMs);
  probes.push(...duringProbes, ...(await run.ask("after")));
  const transition: Transition = { phase: "failback", from, to, fault, before, after: await run.observe("failback-after"), probes, outageBoundMs };
  run.transitions.push(transition);
  return { transition, notResumed };
}
