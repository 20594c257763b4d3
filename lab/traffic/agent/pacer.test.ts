import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pacer } from "./pacer.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

test("many senders speak at their own intervals, until they say no", () => {
  const pacer = new Pacer();
  const counts = new Array<number>(500).fill(0);
  for (let sender = 0; sender < counts.length; sender += 1) {
    const tick = (): boolean => {
      counts[sender] = (counts[sender] ?? 0) + 1;
      return sender % 10 !== 0 || (counts[sender] ?? 0) < 3;
    };
    pacer.add({ intervalMs: sender % 2 === 0 ? 100 : 250, tick }, sender % 100);
  }
  vi.advanceTimersByTime(10_099);
  expect([counts[0], counts[1], counts[2], counts[490]]).toEqual([3, 41, 101, 3]);
});

test("a machine that was held up makes up for nothing", () => {
  const pacer = new Pacer();
  let count = 0;
  pacer.add({ intervalMs: 100, tick: () => (count += 1) > 0 }, 100);
  vi.advanceTimersByTime(200);
  const now = performance.now();
  const held = vi.spyOn(performance, "now").mockReturnValue(now + 5_000);
  vi.advanceTimersByTime(100);
  held.mockRestore();
  expect(count).toBe(3);
});
