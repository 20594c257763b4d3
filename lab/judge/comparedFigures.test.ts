import { expect, test } from "vitest";
import type { Timeline, TimelineMoment } from "../evidence/timeline.ts";
import { comparedFigures } from "./comparedFigures.ts";
import { outage } from "./healthyTrials.ts";

const faultAtMs = 1_700_000_000_000;

function moment(step: TimelineMoment["step"], subject: string, afterMs: number | null): TimelineMoment {
  return { step, subject, atMs: afterMs === null ? null : faultAtMs + afterMs, errorMs: 0, detail: "", evidence: "" };
}

const timeline: Timeline = {
  ...{ phase: "failover", from: "fw-1", to: "fw-2", faultAtMs },
  moments: [
    moment("master", "outside", 3100),
    moment("master", "inside", 3140),
    moment("address-up", "192.168.1.100", 3150),
    moment("announced", "br0", 3160),
    moment("announced", "br1", null),
    moment("committed", "fw-2", 3400),
  ],
  window: { fromMs: faultAtMs + 3150, untilMs: faultAtMs + 3400, lengthMs: 250, errorMs: 1, packets: null },
  firewallMs: 3420,
  flows: [],
};
const drops = { phase: "failover" as const, firewall: "fw-2", entered: 100, forwarded: 97, dropped: 3, flows: [], answered: [], ruleset: null, disagreement: null };
const failback = { ...timeline, phase: "failback" as const, firewallMs: 1 };

test("each step is timed from the fault, by its last subject; one that was not seen everywhere has no time", () => {
  expect(comparedFigures({ outages: [outage(3500)], timelines: [failback, timeline], drops: [{ ...drops, phase: "failback", dropped: 99 }, drops], hostDelayMs: 12 })).toEqual({
    ...{ networkMs: 3500, stallMs: 4500, firewallMs: 3420, masterMs: 3140, addressUpMs: 3150, committedMs: 3400, windowMs: 250, dropped: 3, hostDelayMs: 12 },
  });
});

test("what was not measured is not there", () => {
  expect(comparedFigures({ outages: [], timelines: [], drops: [] })).toEqual({});
  expect(comparedFigures({ outages: [outage(3500, { networkMs: null, stalls: null })], timelines: [{ ...timeline, moments: [], window: null, firewallMs: null }], drops: [] })).toEqual({});
});

test("an outage without an end has no length", () => {
  expect(comparedFigures({ outages: [outage(10, { neverResumed: ["tcp-001"] })], timelines: [], drops: [] })).toEqual({});
});
