import { describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import { judge } from "./judge.ts";
import { atEgress, epochMs, healthyCut, story } from "./sandwich.fixture.ts";

const notPassed = (evidence: Evidence, packets: readonly Packet[]) => judge(evidence, { packets }).checks.flatMap(({ id, phase, verdict }) => (verdict === "pass" ? [] : [`${id} ${phase} ${verdict}`]));

test("a cut that is well passes, failover and failback", () => {
  const { evidence, packets } = healthyCut();
  expect(notPassed(evidence, packets)).toEqual([]);
  expect(judge(evidence, { packets })).toMatchObject({ verdict: "pass", reason: "all 4 flows survived failover and failback, and all 11 checks hold" });
});

const changes: [string, (cut: ReturnType<typeof healthyCut>) => void, string[]][] = [
  ["a flow of fw-1 was reset", ({ evidence: { flows } }) => void flows[0]?.errors.push({ clock: "clients", atMs: story.cutMs + 3_000, code: "ECONNRESET", message: "reset" }), ["flows-survive failover fail", "flows-survive failback fail"]],
  ["a flow of fw-1 lost a record", ({ evidence: { flows } }) => void Object.assign(flows[0]?.forward.received.seq ?? [], { 12: 11 }), ["flows-survive failover fail"]],
  [
    "a flow of fw-2 stood still for three seconds",
    ({ evidence: { flows } }) => {
      const times = flows[2]?.forward.received.atMs ?? [];
      for (const [index, atMs] of times.entries()) if (atMs >= story.cutMs && atMs < story.cutMs + 3_000) times[index] = story.cutMs + 3_100;
    },
    ["spared-unharmed failover fail"],
  ],
  [
    "flows of fw-1 stood still for longer than the bound",
    ({ evidence: { flows, transitions } }) => {
      const times = flows[0]?.forward.received.atMs ?? [];
      for (const [index, atMs] of times.entries()) if (atMs >= story.cutMs && atMs < story.cutMs + 12_000) times[index] = story.cutMs + 12_000;
      for (const transition of transitions) transition.outageBoundMs = 10_000;
    },
    ["outage-in-bound failover fail"],
  ],
  ["an answer still comes by the other firewall after the failback", ({ packets }) => void packets.push(atEgress("fw-2", "back", "172.20.200.1", 4_000, 49_000)), ["one-way failback fail"]],
  ["fw-1 carries nothing again", ({ packets }) => void packets.splice(0, packets.length, ...packets.filter(({ atMs, point }) => point === "fw-2.eth2" || atMs < epochMs + story.homeMs)), ["one-way failback fail"]],
  ["the fault did not bite", ({ evidence: { transitions } }) => void Object.assign(transitions[0]?.fault.effect ?? {}, { bit: false }), ["fault-bit failover invalid"]],
  ["no flow went by fw-1", ({ packets }) => void packets.splice(0, packets.length, ...packets.map((packet) => ({ ...packet, point: "fw-2.eth2", sourceMac: packet.sourceMac.replace(":02:02", ":03:02"), destinationMac: packet.destinationMac.replace(":02:02", ":03:02") }))), ["flows-survive failover invalid", "spared-unharmed failover fail", "one-way failback fail"]],
  ["a request failed in the outage", ({ evidence: { acts } }) => void Object.assign(acts?.[0]?.load.requests.outcome ?? [], { 12: "timeout" }), ["requests-answered run fail"]],
];

describe("one change flips its own check and no other", () => {
  test.each(changes)("%s", (_, change, expected) => {
    const cut = healthyCut();
    change(cut);
    expect(notPassed(cut.evidence, cut.packets)).toEqual(expected);
  });
});

test("the load is told stretch by stretch, and who carried it", () => {
  const { evidence, packets } = healthyCut();
  const stretches = judge(evidence, { packets }).stretches ?? [];
  expect(stretches.map(({ name }) => name)).toEqual(["before", "failover", "between", "failback", "after"]);
  expect(stretches.map(({ p99Ms }) => p99Ms)).toEqual([10, 2_000, expect.any(Number), 10, 10]);
  expect(stretches.map(({ carried }) => carried["fw-1"]?.connections)).toEqual([2, 0, 0, expect.any(Number), 2]);
  expect(stretches.reduce((sum, { requests }) => sum + requests, 0)).toBe(60);
});

test("while connections open, clients ask faster: that is in no stretch", () => {
  const { evidence, packets } = healthyCut();
  const acts = (evidence.acts ?? []).map((act) => ({ ...act, openAtMs: act.fromMs + 4_000 }));
  const whole = judge(evidence, { packets }).stretches ?? [];
  const [before, ...others] = judge({ ...evidence, acts }, { packets }).stretches ?? [];
  expect(others).toEqual(whole.slice(1));
  expect([before?.fromMs, before?.requests]).toEqual([(whole[0]?.fromMs ?? 0) + 4_000, (whole[0]?.requests ?? 0) - 4]);
});

test("without a capture the flows are judged, and nothing is said of who carried them", () => {
  const { evidence } = healthyCut();
  const { checks, stretches } = judge(evidence);
  expect(checks.map(({ id }) => id)).not.toContain("one-way");
  expect(checks.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  expect(stretches?.map(({ carried }) => carried)).toEqual([{}, {}, {}, {}, {}]);
});
