import { setTimeout as delay } from "node:timers/promises";
import { threadsOfProcess, type ThreadMoment } from "../host/standstill.ts";

const betweenLooksMs = 10;

/**
 * Waits until all threads of a process sleep, in two looks one after the other: one that reads packets and one that writes them have then dealt with all that
 * had come when the first look began. @returns whether that was so within so many milliseconds; a process that has ended does not sleep.
 */
export async function untilAsleep(pid: number, withinMs: number, threadsOf: (pid: number) => readonly Pick<ThreadMoment, "state">[] = threadsOfProcess): Promise<boolean> {
  const begin = performance.now();
  for (let looks = 0; performance.now() - begin < withinMs; ) {
    const threads = threadsOf(pid);
    looks = threads.length > 0 && threads.every(({ state }) => state === "S") ? looks + 1 : 0;
    if (looks === 2) return true;
    await delay(betweenLooksMs);
  }
  return false;
}
