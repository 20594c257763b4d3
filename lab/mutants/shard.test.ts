import { expect, test } from "vitest";
import { shardOf } from "./shard.ts";

test.each([1, 2, 3, 7, 20])("%d parts of a list hold all of it, and nothing twice", (of) => {
  const items = Array.from({ length: 11 }, (_, index) => index);
  const parts = Array.from({ length: of }, (_, index) => shardOf(items, { part: index + 1, of }));
  expect(parts.flat().toSorted((a, b) => a - b)).toEqual(items);
  expect(Math.max(...parts.map(({ length }) => length)) - Math.min(...parts.map(({ length }) => length))).toBeLessThanOrEqual(1);
});
