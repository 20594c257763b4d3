import { expect, test } from "vitest";
import { handoverInTime } from "./handoverInTime.ts";

const stalls = (max: number) => ({ min: 100, median: 300, p95: max, max });

test.each([
  ["a short stall passes", stalls(900), "pass"],
  ["a stall as long as a power cut's fails", stalls(3_600), "fail"],
  ["without a stall that was measured nothing can be said", null, "invalid"],
] as const)("%s", (_, measured, verdict) => {
  expect(handoverInTime({ phase: "failover", stalls: measured }, 2_000).verdict).toBe(verdict);
});
