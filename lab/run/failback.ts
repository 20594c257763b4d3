import type { FaultRecord, Transition } from "../evidence/evidence.ts";
import type { Observation } from "../evidence/observation.ts";
import { returnId } from "../judge/scene.ts";
import { failover, outageBoundMs, untilSteady, type FailoverOptions, type FailoverOutcome, type Handover } from "./failover.ts";
import type { LabRun } from "./labRun.ts";
import { holdingsText, ownerOf } from "./watchStates.ts";

export interface FailbackOptions extends Handover {
  /** The machine's return, where it has begun already; it begins now unless it is given. */
  readonly returning?: Returning;
  /** Milliseconds that the machine which is back has the states and may take the duty back; 120 s unless another is given. 0 asks for nothing of the kind. */
  readonly takesBackWithin?: number;
  /** Milliseconds for the states to come to it. */
  readonly replicatedWithin?: number;
  /**
   * Breaks `from` when it keeps the duty, as a pair does that does not preempt: then the way back is proved by that. Without it such a failback has had no
   * effect, and the run judges nothing.
   */
  readonly strike?: FailoverOptions["strike"];
}

/** How long flows that stood still for a moment only are waited for. */
const resumeWithinMs = 25_000;

/** A duty that was seen to come back has come: for so long, in milliseconds, its neighbours may still learn of it. */
const settlingMs = 2_000;

/** Milliseconds between two looks at who has the duty: a returning machine's moment is known to this, and how long a look takes. */
const pollMs = 500;

/**
 * The way back: the machine that lost its power boots again, gets the states while the other still has the duty, and takes it over; or keeps back, and
 * the other is struck. Judged by the same checks as the failover. Its moment, where nobody struck, is the last look at which the addresses had not come yet.
 */
export async function failback(run: LabRun, options: FailbackOptions): Promise<FailoverOutcome> {
  const { from, to, boundMs = outageBoundMs, takesBackWithin = 120_000, replicatedWithin, strike, returning = letReturn(run, options) } = options;
  const { duty, beganAtMs } = returning;
  const asked = run.ask("before");
  const prepare = async (): Promise<{ readonly before: Observation; readonly seenAtMs: number } | undefined> => {
    await returning.up;
    await run.followEvents();
    await run.timed("returnedStatesMs", () => run.replicatedTo(to, replicatedWithin));
    // Everything is looked at again before the strike.
    if (takesBackWithin === 0 && strike !== undefined && !duty.moved) return undefined;
    const before = await run.observe("failback-before");
    return { before, seenAtMs: Date.now() };
  };
  const [prepared, probes] = await Promise.all([prepare(), asked]).catch((error: unknown) => {
    duty.endWithin(0);
    throw error;
  });
  duty.endWithin(takesBackWithin);
  const end = await duty.ended;
  if (!end.moved && strike !== undefined) {
    run.progress.note(`${to} is back, and ${from} keeps the duty (${end.seen})`);
    return failover(run, { phase: "failback", from, to, boundMs, strike });
  }
  const before = prepared?.before ?? (await run.observe("failback-before"));
  const atMs = end.lastHeldAtMs ?? before.atMs;
  const seconds = ((atMs - beganAtMs) / 1000).toFixed(1);
  const fault: FaultRecord = {
    id: returnId,
    target: to,
    atMs,
    effect: {
      bit: end.moved,
      measured: end.moved ? `${to} took the virtual addresses back ${seconds} s after it was let go on` : `${to} did not take the virtual addresses back; ${end.seen}`,
      evidence: "observations/failback-after",
    },
  };
  run.progress.note(`failback: ${fault.effect.measured}`);
  const { notResumed, laterProbes } = await untilSteady(run, run.flows.resumed({ afterMs: Date.now(), within: resumeWithinMs, signal: run.signal }), { takeoverMs: settlingMs });
  const early = end.moved && (prepared === undefined || atMs < prepared.seenAtMs);
  const transition: Transition = {
    phase: "failback",
    from,
    to,
    fault,
    before,
    ...(early && { unseenBefore: `${to} took the duty over before everything had been looked at` }),
    after: await run.observe("failback-after"),
    probes: [...probes, ...laterProbes],
    outageBoundMs: boundMs,
  };
  run.transitions.push(transition);
  return { transition, notResumed };
}

/** A machine that goes on with its start, and who has the duty meanwhile. */
export interface Returning {
  /** Settles when the machine is up, or does not come up. */
  readonly up: Promise<unknown>;
  readonly duty: DutyWatch;
  /** Host's epoch clock. */
  readonly beganAtMs: number;
}

/** Lets `to` go on with its start, and watches from now on whether it takes the duty from `from`. */
export function letReturn(run: LabRun, { from, to }: Handover): Returning {
  const beganAtMs = Date.now();
  const duty = new DutyWatch(run, { from, to });
  const up = run.timed("rebootMs", () => run.lab.goOn(to));
  // Whoever waits for it has the error; until then it is nobody's.
  up.catch(() => undefined);
  return { up, duty, beganAtMs };
}

interface DutyEnd {
  readonly moved: boolean;
  readonly seen: string;
  /** Host's epoch clock: when the last look began at which `from` held an address, and `to` not all. Undefined when the first one saw it. */
  readonly lastHeldAtMs: number | undefined;
}

/** Looks from now on whether the duty goes from one firewall to the other, until it has, or its time is over. A machine that boots is not asked before it is up. */
class DutyWatch {
  moved = false;
  readonly ended: Promise<DutyEnd>;
  readonly #run: LabRun;
  readonly #handover: Handover;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(run: LabRun, handover: Handover) {
    this.#run = run;
    this.#handover = handover;
    this.ended = this.#watch();
    // Whoever waits for it has the error; until then it is nobody's.
    this.ended.catch(() => undefined);
  }

  /** Says when it is too late, in milliseconds from now. */
  endWithin(milliseconds: number): void {
    this.#deadlineMs = Date.now() + milliseconds;
  }

  async #watch(): Promise<DutyEnd> {
    const { from, to } = this.#handover;
    using step = this.#run.progress.step(`${to} to take the duty back`, to);
    let lastHeldAtMs: number | undefined;
    for (;;) {
      const lookedAtMs = Date.now();
      const holdings = await this.#run.holders();
      const seen = holdingsText(holdings);
      this.moved = ownerOf(holdings, this.#run.topology) === to;
      if (this.moved || lookedAtMs >= this.#deadlineMs) {
        step.done(this.moved ? seen : `not in its time; last seen: ${seen}`);
        return { moved: this.moved, seen, lastHeldAtMs };
      }
      // Without `from` nothing says that it gave the duty up only now.
      if (holdings.get(from)?.length !== 0) lastHeldAtMs = lookedAtMs;
      step.update(seen);
      await this.#run.wait(pollMs);
    }
  }
}
