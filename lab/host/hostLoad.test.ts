import { expect, test } from "vitest";
import { hostSlowness } from "./hostLoad.ts";

test.each([
  [0, 2, 1],
  [2, 2, 1],
  [5, 2, 2.5],
  [100, 2, 4],
])("a load of %s on %s processors", (load, processors, times) => {
  expect(hostSlowness(load, processors)).toBe(times);
});
