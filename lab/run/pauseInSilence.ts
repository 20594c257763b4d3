import { setTimeout as delay } from "node:timers/promises";
import { framesSent, type Host } from "../host/frameCounts.ts";
import type { Machine } from "../machine/machine.ts";
import type { Progress } from "../progress/progress.ts";

/** A pair that carries no flows sends some five frames a second, and all its machines are paused within ten milliseconds, or several times that on a busy host: the first pause, or one of the next, has none. */
const pausesTried = 50;
/** How long machines go on between two pauses: frames that were under way are with them then. */
const deliveredWithinMs = 30;

export interface SilenceOptions {
  /** Whoever may speak to the machines. */
  readonly hosts: readonly Host[];
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** Frames that the hosts have sent so far. */
  readonly sent?: (hosts: readonly Host[]) => number;
}

/**
 * Stops the time of machines while nobody speaks: a frame for a machine that is paused already waits in its tap, and would be lost to whoever is saved. It is
 * seen afterwards whether one was sent, so pauses are tried until one has none; a machine that was paused before stays so. Where somebody speaks all the
 * time, that is told, and the last pause stands.
 * @throws Failure when a machine does not stop or go on; the signal's reason.
 */
export async function pauseInSilence(machines: readonly Pick<Machine, "runs" | "pause" | "resume">[], { hosts, progress, signal, sent = framesSent }: SilenceOptions): Promise<void> {
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    const before = sent(hosts);
    // QEMU's answer means that it has read the taps since it was asked: what was sent before is with its machine.
    const runs = await Promise.all(machines.map((machine) => machine.runs()));
    const running = machines.filter((_, index) => runs[index]);
    await Promise.all(running.map((machine) => machine.pause()));
    const underWay = sent(hosts) - before;
    if (underWay === 0) return;
    if (tries === pausesTried) {
      progress.note(`somebody speaks at each of ${tries} moments: up to ${underWay} frames are saved in no machine, and are lost where the lab is restored`);
      return;
    }
    await Promise.all(running.map((machine) => machine.resume()));
    await delay(deliveredWithinMs, undefined, signal && { signal });
  }
}
