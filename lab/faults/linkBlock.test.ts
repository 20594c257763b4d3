import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { linkBlock, type Link } from "./linkBlock.ts";

function port(orderMs: number): Link & { readonly states: string[] } {
  const states: string[] = [];
  return {
    name: "client.eth0",
    states,
    set: async (state) => {
      await delay(orderMs);
      states.push(state);
    },
  };
}

test.each([40, 150])("a block of %i ms, its length known by the orders' own times", async (lengthMs) => {
  const link = port(10);
  const begin = Date.now();
  const block = await linkBlock(link, lengthMs, new AbortController().signal);
  expect(link.states).toEqual(["shut", "open"]);
  expect(block.mostMs).toBeGreaterThanOrEqual(lengthMs);
  expect(block.mostMs - block.leastMs).toBeGreaterThanOrEqual(18);
  // A busy host runs this late, and the block says so by its own length.
  expect(block.mostMs).toBeLessThan(lengthMs + 300);
  expect(block.atMs).toBeGreaterThanOrEqual(begin);
  expect(block).toMatchObject({ id: "link-block", target: "client.eth0", effect: { bit: true } });
});

test("an interruption opens the link again", async () => {
  const link = port(1);
  const interruption = new AbortController();
  const blocked = linkBlock(link, 60_000, interruption.signal);
  await delay(20);
  interruption.abort(new Error("Ctrl-C"));
  await expect(blocked).rejects.toThrow();
  expect(link.states).toEqual(["shut", "open"]);
});

test("a block that is shorter than the order to shut did not surely bite", async () => {
  expect((await linkBlock(port(20), 5, new AbortController().signal)).effect.bit).toBe(false);
});
