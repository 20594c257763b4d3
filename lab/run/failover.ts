import type { FaultRecord, Probe, Transition } from "../evidence/evidence.ts";
import type { Resumption } from "../traffic/watch.ts";
import type { LabRun } from "./labRun.ts";

/**
 * Longest time that a flow may stand still: three adverts and the skew until the backup takes over (RFC 5798, 6.1: at most 4 s at an advert
 * interval of 1 s), doubled by TCP's backoff, which may just have missed the end of the outage, and a margin for an emulated machine.
 */
export const outageBoundMs = outageBoundOf(1_000);

/** The longest time that a flow may stand still in a pair whose adverts come every so many milliseconds. */
export function outageBoundOf(advertMs: number): number {
  return 2 * 4 * advertMs + 2_000;
}

/** How long flows are waited for: longer than the bound, so that a check can say when they would have been there. */
const resumeBeyondMs = 15_000;

/**
 * Steady traffic around a transition, in milliseconds: RFC 6413 wants the state before and after to be stable for 5 s. Flows move again when the
 * survivor has announced the addresses, so the second set of gratuitous ARPs, 5 s after the first, comes within this time after that.
 */
const steadyMs = 5_200;

/** How a firewall gives its duty to the other. */
export interface Handover {
  readonly from: string;
  readonly to: string;
  /** Longest time that a flow may stand still, in milliseconds; of a pair with an advert every second, unless another is given. */
  readonly boundMs?: number;
}

export interface FailoverOptions extends Handover {
  /** Which way it goes; `failover` unless it is said. */
  readonly phase?: Transition["phase"];
  /** Whether what the firewalls tell is followed, and their clocks were measured, moments ago. */
  readonly followed?: boolean;
  /** Breaks something, and says when it struck. */
  readonly strike: () => Promise<FaultRecord>;
  /** What is done while the flows that move again become steady. */
  readonly meanwhile?: (resumption: Resumption) => Promise<unknown>;
  /** For how long after the fault flows are waited for, in milliseconds; well beyond the bound, unless another time is given. */
  readonly resumeWithin?: number;
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
export async function failover(run: LabRun, options: FailoverOptions): Promise<FailoverOutcome> {
  const { from, to, phase = "failover", boundMs = outageBoundMs, resumeWithin = boundMs + resumeBeyondMs, followed = false, strike, meanwhile } = options;
  const lookAndAsk = async () => {
    // Alone, as clocks are measured for it.
    if (!followed) await run.followEvents();
    return Promise.all([run.ask("before"), run.observe(`${phase}-before`)]);
  };
  const [[probes, before]] = await Promise.all([lookAndAsk(), run.wait(steadyMs)]);
  await run.measureClocks();
  const fault = await strike();
  run.progress.note(`fault: ${fault.effect.measured}`);
  const wakeAndResume = async () => {
    await run.flows.wake(run.signal);
    return run.timed("resumeMs", () => run.flows.resumed({ afterMs: fault.atMs, within: resumeWithin, signal: run.signal }));
  };
  const { notResumed, laterProbes } = await untilSteady(run, wakeAndResume(), { takeoverMs: boundMs / 2 + 1_000, ...(meanwhile && { meanwhile }) });
  probes.push(...laterProbes);
  const transition: Transition = { phase, from, to, fault, before, after: await run.observe(`${phase}-after`), probes, outageBoundMs: boundMs };
  run.transitions.push(transition);
  return { transition, notResumed };
}

export interface UntilSteadyOptions extends Pick<FailoverOptions, "meanwhile"> {
  /** How long the takeover may still take, in milliseconds. */
  readonly takeoverMs: number;
}

/** Asks the policy while the flows resume and once they have, and waits until they are steady. */
export async function untilSteady(run: LabRun, resumption: Promise<Resumption>, { takeoverMs, meanwhile }: UntilSteadyOptions): Promise<{ notResumed: readonly string[]; laterProbes: Probe[] }> {
  const steady = async (): Promise<Resumption> => {
    const resumed = await resumption;
    await Promise.all([run.wait(steadyMs), run.followEvents(), meanwhile?.(resumed)]);
    return resumed;
  };
  const askAfter = async (): Promise<Probe[]> => {
    await resumption;
    return run.ask("after");
  };
  const [{ notResumed }, during, after] = await Promise.all([steady(), run.ask("during", takeoverMs), askAfter()]);
  return { notResumed, laterProbes: [...during, ...after] };
}
