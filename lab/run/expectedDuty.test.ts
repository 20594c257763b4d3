import { describe, expect, test } from "vitest";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { validationTimes, type ExpectedDuty } from "./expectedDuty.ts";
import { usualFlowsOf } from "./validationRun.ts";

const node = (machine: string, change: Partial<ExpectedDuty["nodes"][number]> = {}) => ({ machine, advertSeconds: 1, masterDownSeconds: 3.6, preemptDelaySeconds: 0, startupDelaySeconds: 0, ...change });
const duty = (change: Partial<ExpectedDuty> = {}, first: Parameters<typeof node>[1] = {}): ExpectedDuty => ({ nodes: [node("fw-1", first), node("fw-2")], preferred: "fw-1", preempts: true, ...change });
const times = (expected: ExpectedDuty | undefined) => validationTimes(expected, primaryBackup);

describe("the bound of an outage", () => {
  test.each([
    ["an advert every second, as where the files tell nothing", duty(), 10_000],
    ["nothing known", undefined, 10_000],
    ["an advert every 3 s", duty({}, { advertSeconds: 3 }), 26_000],
    ["an advert every 100 ms on both", { ...duty(), nodes: [node("fw-1", { advertSeconds: 0.1 }), node("fw-2", { advertSeconds: 0.1 })] }, 2_800],
  ])("%s", (_, expected, boundMs) => {
    expect(times(expected).boundMs).toBe(boundMs);
  });
});

describe("how long the duty is waited for to come back", () => {
  test("to the preferred node, its delay and all that it may need beside it", () => {
    expect(times(duty({}, { preemptDelaySeconds: 10 })).takesBackWithinMs("fw-1")).toBe(21_600);
  });

  test.each([
    ["the other is preferred", duty({ preferred: "fw-2" })],
    ["it never preempts", duty({ preempts: false })],
    ["it preempts after minutes", duty({}, { preemptDelaySeconds: 300 })],
    ["none is preferred", duty({ preferred: undefined })],
  ])("not at all when %s", (_, expected) => {
    expect(times(expected).takesBackWithinMs("fw-1")).toBe(0);
  });

  test("for a while when the files do not tell", () => {
    expect(times(undefined).takesBackWithinMs("fw-1")).toBeGreaterThan(10_000);
    expect(times(duty()).takesBackWithinMs("fw-3")).toBeGreaterThan(10_000);
  });
});

describe("how long a firewall that is back leaves the duty where it is", () => {
  test("its delay; for ever where it is not to take it; and nobody knows where the files do not tell", () => {
    expect(times(duty({}, { preemptDelaySeconds: 10 })).keepsBackForMs("fw-1")).toBe(10_000);
    expect(times(duty()).keepsBackForMs("fw-1")).toBe(0);
    expect(times(duty({ preempts: false })).keepsBackForMs("fw-1")).toBe(Number.POSITIVE_INFINITY);
    expect(times(duty({ preferred: "fw-2" })).keepsBackForMs("fw-1")).toBe(Number.POSITIVE_INFINITY);
    expect(times(undefined).keepsBackForMs("fw-1")).toBe(0);
    expect(times(duty()).keepsBackForMs("fw-3")).toBe(0);
  });
});

test("slow timers and a delayed start get their time to come to one owner", () => {
  expect(times(duty({}, { masterDownSeconds: 13, startupDelaySeconds: 5 })).ownerWithinMs).toBe(39_000);
});

test("flows are of the kinds that the policy allows, and as many", () => {
  expect(usualFlowsOf()).toEqual({ tcp: 8, udp: 3, ssh: 1 });
  expect(usualFlowsOf(["ssh"])).toEqual({ tcp: 0, udp: 0, ssh: 12 });
  expect(usualFlowsOf(["tcp", "udp"])).toEqual({ tcp: 9, udp: 3, ssh: 0 });
});
