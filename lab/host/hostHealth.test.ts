import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HostHealthWatch } from "./hostHealth.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a timer that wakes in time shows no delay", () => {
  const watch = new HostHealthWatch();
  watch.start();
  vi.advanceTimersByTime(5_000);
  expect(watch.health()).toEqual({ worstTimerDelayMs: 0, allowedTimerDelayMs: 1_500 });
  watch.stop();
});

test("the worst delay is kept until it is reset", () => {
  const watch = new HostHealthWatch(200);
  watch.start();
  stall(2_100);
  vi.advanceTimersByTime(1_000);
  expect(watch.health()).toEqual({ worstTimerDelayMs: 2_000, allowedTimerDelayMs: 200 });
  watch.reset();
  vi.advanceTimersByTime(1_000);
  expect(watch.health().worstTimerDelayMs).toBe(0);
  watch.stop();
});

test("a delay that still goes on counts, also when the watch is stopped in it", () => {
  const watch = new HostHealthWatch();
  watch.start();
  stall(700);
  expect(watch.health().worstTimerDelayMs).toBe(600);
  watch.stop();
  stall(9_000);
  expect(watch.health().worstTimerDelayMs).toBe(600);
});

/** Time passes, and no timer fires. */
function stall(ms: number): void {
  const stalledFrom = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => stalledFrom + ms);
}
