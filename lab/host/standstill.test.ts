import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { StandstillWatch, threadsOfProcess, type ThreadMoment } from "./standstill.ts";

describe("the longest standstill", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Watches one thread for as many looks as there are moments, a quarter of a second apart. */
  function watched(moments: readonly (readonly [state: string, ranMs: number])[]): number {
    let index = -1;
    const threads = (): ThreadMoment[] => {
      index += 1;
      const [state, ranMs] = moments[index] ?? ["S", 0];
      return [{ id: 7, state, ranNs: BigInt(ranMs) * 1_000_000n }];
    };
    const watch = new StandstillWatch(() => [{ name: "fw-1", pid: 1 }], threads);
    watch.start();
    vi.advanceTimersByTime(moments.length * 250);
    watch.stop();
    const [standstill] = watch.standstills();
    return standstill?.worstMs ?? Number.NaN;
  }

  test.each<readonly [string, readonly (readonly [string, number])[], number]>([
    ["one that runs has none", [["R", 0], ["R", 100], ["R", 200], ["R", 300]], 0],
    ["one that sleeps has none, however long", [["S", 5], ["S", 5], ["S", 5], ["S", 5], ["S", 5]], 0],
    ["one that wants to run and does not is held up", [["R", 5], ["R", 5], ["R", 5], ["R", 5], ["R", 90]], 500],
    ["one that waits for the disk is held up too", [["S", 5], ["D", 5], ["D", 5], ["R", 5], ["R", 6]], 500],
    ["two that are short are not one that is long", [["R", 5], ["R", 5], ["R", 5], ["R", 9], ["R", 9], ["R", 9]], 250],
  ])("%s", (_, moments, expected) => {
    expect(watched(moments)).toBe(expected);
  });

  test("a process that is another has a new count", () => {
    let pid = 1;
    const watch = new StandstillWatch(() => [{ name: "fw-1", pid }], () => [{ id: pid, state: "R", ranNs: 5n }]);
    watch.start();
    vi.advanceTimersByTime(500);
    pid = 2;
    vi.advanceTimersByTime(500);
    watch.stop();
    expect(watch.standstills()).toEqual([{ machine: "fw-1", worstMs: 0 }]);
  });
});

test("a process that is stopped sleeps, one that runs has had processor time, and one that is gone has no threads", async () => {
  const child = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
  try {
    await once(child, "spawn");
    const pid = child.pid ?? -1;
    const ranNs = () => threadsOfProcess(pid).find(({ id }) => id === pid)?.ranNs ?? 0n;
    const before = ranNs();
    await vi.waitFor(() => expect(ranNs()).toBeGreaterThan(before), 5_000);
    expect(threadsOfProcess(pid).find(({ id }) => id === pid)?.state).toBe("R");
    child.kill("SIGSTOP");
    await vi.waitFor(() => expect(threadsOfProcess(pid).find(({ id }) => id === pid)?.state).toBe("T"), 5_000);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  expect(threadsOfProcess(child.pid ?? -1)).toEqual([]);
});
