import { setTimeout as delay } from "node:timers/promises";
import type { Progress } from "../progress/progress.ts";

export interface WaitOptions<T> {
  /** What is waited for, as a person would say it: "fw-1 to own both virtual addresses". */
  readonly what: string;
  readonly machine?: string;
  /** Looks once. `seen` is told while waiting. */
  readonly look: () => Promise<{ readonly reached: boolean; readonly seen: string; readonly value: T }>;
  /** Milliseconds. */
  readonly within: number;
  readonly pollMs?: number;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** What came of a wait. A state that was not reached is told, not thrown: whether it had to be is for the checks to say. */
export interface Waited<T> {
  readonly reached: boolean;
  readonly seen: string;
  readonly value: T;
  readonly tookMs: number;
  /** Host's epoch clock: when the last look began that had not yet seen the state; undefined when the first one saw it. */
  readonly lastUnreachedAtMs: number | undefined;
}

/** Looks until a state is there or the time is over. @throws what `look` throws; the signal's reason. */
export async function waitUntil<T>({ what, machine, look, within, pollMs = 300, progress, signal }: WaitOptions<T>): Promise<Waited<T>> {
  using step = progress.step(what, machine);
  const begin = performance.now();
  let lastUnreachedAtMs: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const lookedAtMs = Date.now();
    const { reached, seen, value } = await look();
    const tookMs = performance.now() - begin;
    if (reached || tookMs >= within) {
      step.done(reached ? seen : `not within ${within / 1000} s; last seen: ${seen}`);
      return { reached, seen, value, tookMs, lastUnreachedAtMs };
    }
    lastUnreachedAtMs = lookedAtMs;
    step.update(seen);
    await delay(pollMs, undefined, signal ? { signal } : {});
  }
}
