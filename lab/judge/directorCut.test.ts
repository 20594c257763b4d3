import { expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import { judge } from "./judge.ts";
import { atEgress, connection, healthyCut, story } from "./sandwich.fixture.ts";

/** The same four flows, when the first director loses its power, and nobody's firewall does. */
function healthyDirectorCut(): { readonly evidence: Evidence; readonly packets: Packet[] } {
  const { evidence } = healthyCut();
  const [failover] = evidence.transitions;
  if (failover === undefined) throw new RangeError("the fixture has a failover");
  const transition = { ...failover, from: "lvs", to: "lvs-2", fault: { ...failover.fault, target: "lvs" } };
  const packets = evidence.flows.flatMap(({ tuple: { source } }, index) => {
    const carrier = index < 2 ? "fw-1" : "fw-2";
    const spoken = Array.from({ length: story.endMs / 1_000 }, (_, second) => second * 1_000 + 500);
    return [...connection(source.address, source.port, 100, carrier), ...spoken.map((sinceMs) => atEgress(carrier, "there", source.address, source.port, sinceMs))];
  });
  return { evidence: { ...evidence, topology: "sandwich-directors", transitions: [transition] }, packets: packets.toSorted((a, b) => a.atMs - b.atMs) };
}

const notPassed = (evidence: Evidence, packets: readonly Packet[]) => judge(evidence, { packets }).checks.flatMap(({ id, verdict }) => (verdict === "pass" ? [] : [`${id} ${verdict}`]));

test("a director's cut that is well passes", () => {
  const { evidence, packets } = healthyDirectorCut();
  expect(notPassed(evidence, packets)).toEqual([]);
});

test("a connection that the other director sends by another firewall is told", () => {
  const { evidence, packets } = healthyDirectorCut();
  const source = evidence.flows[0]?.tuple.source;
  expect(notPassed(evidence, [...packets, atEgress("fw-2", "there", source?.address ?? "", source?.port ?? 0, story.cutMs + 5_000)])).toEqual(["same-firewall fail"]);
});

test("a flow that was reset did not survive", () => {
  const { evidence, packets } = healthyDirectorCut();
  evidence.flows[0]?.errors.push({ clock: "clients", atMs: story.cutMs + 4_000, code: "ECONNRESET", message: "reset" });
  expect(notPassed(evidence, packets)).toEqual(["flows-survive fail"]);
});

test("where nothing of before went on, nothing can be said of its way", () => {
  const { evidence, packets } = healthyDirectorCut();
  const cutAtMs = evidence.transitions[0]?.fault.atMs ?? 0;
  expect(notPassed(evidence, packets.filter(({ atMs }) => atMs < cutAtMs))).toEqual(["same-firewall invalid"]);
});
