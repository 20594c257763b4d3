import { expect, test } from "vitest";
import { sandwich } from "../topology/sandwich.ts";
import { loadOrderSchema } from "./order.ts";
import { mostClients, mostFlows, sandwichFlows, sandwichLoad } from "./sandwichLoad.ts";

test("every client and every flow has an address of its own", () => {
  const order = sandwichLoad(sandwich, { held: 5_000, others: 100, pauseMs: 10_000 });
  const addresses = [...order.clients, ...sandwichFlows(sandwich, mostFlows).map(({ source }) => source)];
  expect(new Set(addresses).size).toBe(5_100 + mostFlows);
  expect(loadOrderSchema.parse(order).servers).toEqual(["172.30.0.130", "172.30.0.131", "172.31.0.130", "172.31.0.131"]);
});

test("flows of each mode are given to both firewalls by a director that takes turns", () => {
  const modes = (parity: number) => new Set(sandwichFlows(sandwich, 16).filter((_, index) => index % 2 === parity).map(({ mode }) => mode));
  expect(modes(0)).toEqual(modes(1));
  expect(modes(0).size).toBe(4);
});

test("there are no more than there are addresses for", () => {
  expect(() => sandwichLoad(sandwich, { held: mostClients, others: 1, pauseMs: 1 })).toThrow(RangeError);
  expect(() => sandwichFlows(sandwich, mostFlows + 1)).toThrow(RangeError);
});
