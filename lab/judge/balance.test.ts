import { expect, test } from "vitest";
import type { Packet } from "../evidence/packet.ts";
import type { Act } from "../evidence/sandwich.ts";
import { sandwich } from "../topology/sandwich.ts";
import { judgeBalance } from "./balance.ts";
import { balancing, connection, quietAct, rejected } from "./sandwich.fixture.ts";

const notPassed = (act: Act, packets: readonly Packet[] | undefined) => judgeBalance(act, sandwich, packets).flatMap(({ id, verdict }) => (verdict === "pass" ? [] : [`${id} ${verdict}`]));

test.each(["sh", "mh", "rr"])("a load that is well passes with %s", (scheduler) => {
  const { act, packets } = quietAct(scheduler);
  expect(notPassed(act, packets)).toEqual([]);
});

const changes: [string, (quiet: ReturnType<typeof quietAct>) => ReturnType<typeof quietAct>, string[]][] = [
  ["an answer came back by the other firewall", ({ act, packets }) => ({ act, packets: [...packets.slice(2), ...connection("172.20.0.1", 4_000, 100, "fw-1", "fw-2")] }), ["same-way-back fail"]],
  ["an answer never came", ({ act, packets }) => ({ act, packets: packets.filter((_, index) => index !== 1) }), ["same-way-back fail"]],
  ["all went by one firewall", ({ act }) => ({ act: { ...act, after: balancing("rr", [47, 9]) }, packets: Array.from({ length: 40 }, (_, index) => connection(`172.20.0.${index + 1}`, 4_000, 100 + index, "fw-1")).flat() }), ["both-carry fail"]],
  ["the director tells another number", ({ act, packets }) => ({ act: { ...act, after: balancing("rr", [28, 29]) }, packets }), ["both-carry fail"]],
  ["nothing reached a firewall", ({ act }) => ({ act, packets: [] }), ["both-carry fail", "same-way-back fail"]],
  ["a firewall refused a packet", ({ act, packets }) => ({ act: { ...act, after: balancing("rr", [27, 29], [rejected]) }, packets }), ["no-rejects fail"]],
  ["a request was reset", ({ act, packets }) => ({ act: { ...act, load: { ...act.load, requests: { ...act.load.requests, outcome: ["reset", ...act.load.requests.outcome.slice(1)] } } }, packets }), ["requests-answered fail"]],
  ["an answer was another's", ({ act, packets }) => ({ act: { ...act, load: { ...act.load, requests: { ...act.load.requests, outcome: ["wrong-body", ...act.load.requests.outcome.slice(1)] } } }, packets }), ["requests-answered fail"]],
  ["a held connection was lost", ({ act, packets }) => ({ act: { ...act, held: 1, load: { ...act.load, held: 0, lost: [{ client: 0, atMs: act.fromMs, why: "reset" }] } }, packets }), ["requests-answered fail"]],
  ["nobody asked", ({ act, packets }) => ({ act: { ...act, load: { requests: { client: [], atMs: [], tookMs: [], outcome: [] }, lost: [], held: 0 } }, packets }), ["requests-answered invalid"]],
  ["nobody knows the scheduler", ({ act, packets }) => ({ act: { ...act, before: balancing("lblc", [7, 9]), after: balancing("lblc", [27, 29]) }, packets }), ["both-carry invalid"]],
];

test.each(changes)("%s", (_, change, expected) => {
  const { act, packets } = change(quietAct("rr"));
  expect(notPassed(act, packets)).toEqual(expected);
});

test("what decides by address may not send one client to both firewalls; round robin may", () => {
  for (const [scheduler, expected] of [["sh", ["both-carry fail"]], ["rr", []]] as const) {
    const { act, packets } = quietAct(scheduler);
    const again = [...connection("172.20.0.1", 4_001, 200, "fw-2"), ...connection("172.20.0.2", 4_001, 201, "fw-1")];
    expect(notPassed({ ...act, after: balancing(scheduler, [28, 30]) }, [...packets, ...again])).toEqual(expected);
  }
});

test("frames that a bridge floods to a firewall which is not meant are not carried by it", () => {
  const { act, packets } = quietAct("rr");
  const flooded = packets.map((packet) => ({ ...packet, point: packet.point === "fw-1.eth2" ? "fw-2.eth2" : "fw-1.eth2" }));
  expect(notPassed(act, [...packets, ...flooded])).toEqual([]);
});

test("a port that a client comes by again may be no new connection to the director, which remembers the one before; one fewer that nobody was before is its mistake", () => {
  const { act, packets } = quietAct("rr");
  const oneFewer = { ...act, after: balancing("rr", [26, 29]) };
  expect(notPassed(oneFewer, packets)).toEqual(["both-carry fail"]);
  expect(notPassed(oneFewer, [...connection("172.20.0.1", 4_000, -20_000, "fw-1"), ...packets])).toEqual([]);
});

test("connections that directors open to see whether firewalls forward are nobody's load", () => {
  const { act, packets } = quietAct("rr");
  expect(notPassed(act, [...packets, ...connection("10.162.0.10", 4_000, 150, "fw-1"), ...connection("10.162.0.10", 4_001, 151, "fw-1")])).toEqual([]);
});

test("without a capture nothing is said of who carried what", () => {
  expect(notPassed(quietAct("rr").act, undefined)).toEqual(["both-carry invalid", "same-way-back invalid"]);
});
