import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { linkBlock, type Link } from "./linkBlock.ts";

afterEach(() => vi.restoreAllMocks());

const tickMs = 0.01;

/** A host's clock of the test's own, which no other process holds up: it goes on by each look at it, and by what takes time. */
function ownClock(): (ms: number) => void {
  let nowMs = 1_000;
  vi.spyOn(performance, "now").mockImplementation(() => (nowMs += tickMs));
  return (ms) => void (nowMs += ms);
}

/** A port whose orders take their time. */
function port(takeTime: () => Promise<void> | void): Link & { readonly states: string[] } {
  const states: string[] = [];
  return {
    name: "client.eth0",
    states,
    set: async (state) => {
      await takeTime();
      states.push(state);
    },
  };
}

test.each([
  { lengthMs: 40, orderMs: 10, bit: true },
  { lengthMs: 150, orderMs: 10, bit: true },
  { lengthMs: 150, orderMs: 70, bit: true },
  { lengthMs: 40, orderMs: 25, bit: false },
  { lengthMs: 5, orderMs: 20, bit: false },
])("a block of $lengthMs ms, its length known by the orders' own times, $orderMs ms each: it surely bit, $bit", async ({ lengthMs, orderMs, bit }) => {
  const passes = ownClock();
  const link = port(() => passes(orderMs));
  const begin = Date.now();
  const block = await linkBlock(link, lengthMs, new AbortController().signal);
  expect(link.states).toEqual(["shut", "open"]);
  // An order that takes longer than the block holds the other one up.
  const betweenOrdersMs = Math.max(lengthMs, orderMs);
  expect(block.mostMs).toBeCloseTo(betweenOrdersMs + orderMs, 0);
  expect(block.leastMs).toBeCloseTo(betweenOrdersMs - orderMs, 0);
  expect(block.atMs).toBeGreaterThanOrEqual(begin);
  expect(block).toMatchObject({ id: "link-block", target: "client.eth0", effect: { bit } });
});

test("an interruption opens the link again", async () => {
  const link = port(() => delay(1));
  const interruption = new AbortController();
  const blocked = linkBlock(link, 60_000, interruption.signal);
  await delay(20);
  interruption.abort(new Error("Ctrl-C"));
  await expect(blocked).rejects.toThrow();
  expect(link.states).toEqual(["shut", "open"]);
});
