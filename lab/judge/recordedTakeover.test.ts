import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evidenceSchema } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { TimelineMoment, TimelineStep } from "../evidence/timeline.ts";
import { judge } from "./judge.ts";

/**
 * An excerpt of a real run: fw-1 lost its power under four flows. Two of them are here, with what the bridges and fw-2's taps saw of them and of the
 * take-over, and what fw-2 told by a clock 0.3 s behind the host's.
 */
const recorded = JSON.parse(readFileSync(new URL("recorded/takeover.json", import.meta.url), "utf8")) as { readonly evidence: unknown; readonly packets: readonly Packet[] };
const evidence = evidenceSchema.parse(recorded.evidence);

function timelineWith(clocks = evidence.clocks) {
  const [timeline] = judge({ ...evidence, clocks }, { packets: recorded.packets }).timelines;
  if (timeline === undefined) throw new Error("no timeline");
  return timeline;
}

const timeline = timelineWith();
const find = (step: TimelineStep, subject?: string): TimelineMoment => {
  const found = timeline.moments.find((moment) => moment.step === step && (subject === undefined || moment.subject === subject));
  if (found === undefined) throw new Error(`no ${step} of ${subject ?? "anything"}`);
  return found;
};
const afterFault = (step: TimelineStep, subject?: string) => (find(step, subject).atMs ?? Number.NaN) - timeline.faultAtMs;

describe("a take-over as it was recorded", () => {
  test("all its moments were seen, in milliseconds after the fault", () => {
    expect(timeline.moments.filter(({ atMs }) => atMs === null)).toEqual([]);
    const rounded = timeline.moments.map(({ step, subject, atMs }) => [step, subject, Math.round((atMs ?? Number.NaN) - timeline.faultAtMs)]);
    expect(rounded).toEqual([
      ["last-advert", "br0", -733],
      ["first-advert", "br0", 2923],
      ["last-advert", "br1", -731],
      ["first-advert", "br1", 2881],
      ["master", "outside", 2922],
      ["master", "inside", 2880],
      ["address-up", "192.168.1.100", 2938],
      ["address-up", "192.168.0.100", 2887],
      ["announced", "br0", 3231],
      ["forwarding-moved", "br0", 3231],
      ["announced", "br1", 3227],
      ["forwarding-moved", "br1", 3227],
      ["committed", "fw-2", 3005],
      ["first-forwarded", "forward", 3273],
      ["first-forwarded", "reverse", 3292],
      ["last-flow-moves", "tcp-001", 6669],
    ]);
  });

  test("two clocks agree: fw-2's word that it is MASTER, converted, and its first advert on the host's clock", () => {
    for (const [instance, bridge] of [["outside", "br0"], ["inside", "br1"]] as const) {
      const master = find("master", instance);
      expect(master.errorMs).toBeLessThan(10);
      expect(Math.abs(afterFault("first-advert", bridge) - afterFault("master", instance))).toBeLessThan(master.errorMs);
    }
  });

  test("nothing in it is out of order", () => {
    expect(timeline.moments.filter(({ detail }) => detail.includes("out of order"))).toEqual([]);
  });

  test("the control: with a clock that is 0.2 s off, the survivor would have spoken before it was MASTER, and that is said", () => {
    const off = timelineWith(evidence.clocks.map((clock) => (clock.clock === "fw-2/realtime" ? { ...clock, offsetMs: clock.offsetMs + 200 } : clock)));
    expect(off.moments.filter(({ detail }) => detail.includes("out of order")).map(({ step, subject }) => `${step} ${subject}`)).toEqual(["first-advert br0", "first-advert br1"]);
  });

  test("states came before packets: nothing of a flow met the survivor without them", () => {
    expect(timeline.window?.lengthMs).toBeCloseTo(67.4, 1);
    expect(timeline.window?.packets).toEqual({ entered: 0, forwarded: 0, dropped: 0, answered: 0 });
  });

  test("what UDP stood still is the firewall's part; TCP's back-off is as long again", () => {
    expect(timeline.firewallMs).toBeCloseTo(3291.5, 1);
    const parts = timeline.flows.map(({ id, direction, firewallMs, backoffMs }) => [id, direction, Math.round(firewallMs ?? Number.NaN), Math.round(backoffMs ?? Number.NaN)]);
    expect(parts).toEqual([
      ["tcp-001", "forward", 3342, 3396],
      ["udp-001", "forward", 3340, 10],
      ["udp-001", "reverse", 3357, 5],
    ]);
  });
});
