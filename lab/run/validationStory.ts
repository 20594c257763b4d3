import type { FaultRecord } from "../evidence/evidence.ts";
import { powerCut } from "../faults/powerCut.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import type { Resumption } from "../traffic/watch.ts";
import { ComingUpWatch } from "./comingUpWatch.ts";
import { validationTimes, type ExpectedDuty } from "./expectedDuty.ts";
import { failback, letReturn, type Returning } from "./failback.ts";
import { failover } from "./failover.ts";
import type { Story } from "./judgedRun.ts";

export interface ValidationStoryOptions {
  readonly specs: readonly FlowSpec[];
  /** Who is to be active, by the files; without it that is found out by waiting. */
  readonly duty?: ExpectedDuty | undefined;
  /** Milliseconds in which machines had to start what their config tree says. */
  readonly startsWithinMs: number;
  /** How many times slower than idle the host is: so much longer is waited for what may never come. */
  readonly slowness: number;
}

/** A mistake in the replication shows within this, in milliseconds: states come over in milliseconds, and a lost one is asked for within seconds. */
const replicatedWithinMs = 8_000;

/**
 * A failover is looked at for some 10 s after its flows move again: they become steady, and the views are read. A machine that goes on needs half of that
 * until its daemons have started; for so many milliseconds more it has to keep back.
 */
const keepsBackMs = 5_000;

/** Milliseconds for all flows to open, and for all to move then. A SYN is sent again after 1, 3 and 7 s. */
const openWithinMs = 20_000;

/**
 * Any pair: it is found out who has the duty, that one loses its power under live flows, the other takes over; the power comes back, and the duty with
 * it, or the other loses its power too. What does not come about in its time is evidence against the pair.
 */
export function validationStory({ specs, duty, startsWithinMs, slowness }: ValidationStoryOptions): Story {
  return async (run) => {
    const { topology, durations } = run;
    const times = validationTimes(duty, topology, slowness);
    const statesWithinMs = replicatedWithinMs * slowness;
    const up = new ComingUpWatch(run);
    up.came({ what: "all machines start", reached: true, seen: "they did", tookMs: durations["layMs"] ?? durations["bootMs"] ?? durations["restoreMs"] ?? 0, withinMs: startsWithinMs });
    const open = () => run.timed("openMs", () => up.opens(specs, openWithinMs * slowness));
    // Where the pair runs as it was saved, somebody has the duty already.
    const early = run.begun === "warm" && durations["layMs"] === undefined ? open() : undefined;
    // Whoever waits for it has the error; until then it is nobody's.
    early?.catch(() => undefined);
    const owner = await run.timed("steadyMs", () => up.owner(times.ownerWithinMs, duty?.preempts === true ? duty.preferred : undefined));
    const other = topology.machines.find(({ role, name }) => role === "firewall" && name !== owner)?.name;
    const opening = early ?? (owner !== undefined && other !== undefined ? open() : Promise.resolve(false));
    const [opened] = await Promise.all([opening, up.units(opening), run.followEvents()]);
    if (!opened || owner === undefined || other === undefined) {
      await up.lookAround();
      return;
    }
    await run.timed("replicatedMs", () => run.replicatedTo(other, statesWithinMs));
    const { boundMs } = times;
    const cut = (name: string) => () => powerCut(run.machine(name));
    const mostDied = (notResumed: readonly string[]): boolean => notResumed.length >= run.flows.flows.length / 2;
    let returning: Returning | undefined;
    const strikeOwner = async (): Promise<FaultRecord> => {
      const fault = await cut(owner)();
      // In an outage the processors have little to do: who waits for a verdict need not wait for this. Whoever asks for the machine has the error; until then it is nobody's.
      run.lab.halfBoot(owner).catch(() => undefined);
      return fault;
    };
    const meanwhile = async ({ notResumed }: Resumption): Promise<void> => {
      await run.lab.halfBoot(owner);
      // One that keeps back may start while the other is still looked at: it changes nothing of what is seen there.
      if (times.keepsBackForMs(owner) >= keepsBackMs * slowness && !mostDied(notResumed)) returning = letReturn(run, { from: other, to: owner });
    };
    const { notResumed } = await run.timed("failoverMs", () => failover(run, { from: owner, to: other, boundMs, followed: true, strike: strikeOwner, meanwhile })).catch((error: unknown) => {
      // Nobody else would end it.
      returning?.duty.endWithin(0);
      throw error;
    });
    if (mostDied(notResumed)) {
      run.progress.note(`no failback: ${notResumed.length} of ${run.flows.flows.length} flows did not survive the failover`);
      return;
    }
    await run.timed("failbackMs", () =>
      up.startsAgain(owner, startsWithinMs, () =>
        failback(run, { from: other, to: owner, ...(returning && { returning }), boundMs, replicatedWithin: statesWithinMs, takesBackWithin: times.takesBackWithinMs(owner), strike: cut(other) }),
      ),
    );
  };
}
