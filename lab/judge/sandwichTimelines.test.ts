import { describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import { hostEpochClock, type LabEvent } from "../evidence/event.ts";
import type { FirewallViews, VrrpInstance } from "../evidence/observation.ts";
import type { Packet } from "../evidence/packet.ts";
import { sandwich } from "../topology/sandwich.ts";
import { machineSpec, nicOf } from "../topology/topology.ts";
import { epochMs, healthyCut, story } from "./sandwich.fixture.ts";
import { sandwichTimelines } from "./sandwichTimelines.ts";

/** fw-1's own group moves; each firewall's other group is the other's. */
const groups = [
  { name: "first_ingress", routerId: 51, home: "fw-1", address: "10.162.0.101" },
  { name: "second_ingress", routerId: 61, home: "fw-2", address: "10.162.0.102" },
] as const;
const takenAtMs = story.cutMs + 3_400;

function views(firewall: string): FirewallViews {
  const unseen = { ok: false, atMs: epochMs, source: "x", error: "not looked at" } as const;
  const data: VrrpInstance[] = groups.map(({ name, routerId, home, address }) => ({ name, routerId, addresses: [address], nic: "eth1.162", state: home === firewall ? "MASTER" : "BACKUP", priority: home === firewall ? 150 : 100 }));
  return { addresses: unseen, conntrack: unseen, internalCache: unseen, externalCache: unseen, conntrackStats: unseen, dropCounters: unseen, loggedPackets: unseen, vrrp: { ok: true, atMs: epochMs, source: "x", data } };
}

function advert(firewall: string, routerId: number, priority: number, sinceMs: number): Packet {
  const { mac, address } = nicOf(machineSpec(sandwich, firewall), "eth1");
  return { atMs: epochMs + sinceMs, point: "br0", sourceMac: mac, destinationMac: "01:00:5e:00:00:12", body: { kind: "vrrp", sourceAddress: address.replace(/\/\d+$/u, ""), destinationAddress: "224.0.0.18", ipId: 1, routerId, priority } };
}

/** A cut in which fw-2 goes on with its own group's adverts, and takes fw-1's over. */
function cut(): { readonly evidence: Evidence; readonly packets: Packet[] } {
  const { evidence, packets } = healthyCut();
  for (const { before, after } of evidence.transitions) for (const look of [before, after]) Object.assign(look.firewalls, { "fw-1": views("fw-1"), "fw-2": views("fw-2") });
  const adverts = Array.from({ length: 30 }, (_, second) => second * 1_000 + 50).flatMap((sinceMs) => [
    advert("fw-2", 61, 150, sinceMs),
    ...(sinceMs < story.cutMs ? [advert("fw-1", 51, 150, sinceMs + 1)] : sinceMs >= takenAtMs ? [advert("fw-2", 51, 100, sinceMs + 1)] : []),
  ]);
  const told = (instance: string, sinceMs: number): LabEvent => ({ kind: "vrrp-state", where: "fw-2", clock: hostEpochClock, atMs: epochMs + sinceMs, source: "journals/x", text: `(${instance}) Entering MASTER STATE`, instance, state: "MASTER" });
  evidence.events.push(told("first_ingress", takenAtMs));
  return { evidence, packets: [...packets, ...adverts].toSorted((a, b) => a.atMs - b.atMs) };
}

describe("a firewall's cut, on a timeline", () => {
  const { evidence, packets } = cut();
  const [failover, failback] = sandwichTimelines(evidence, sandwich, packets);
  const at = (step: string, subject: string) => failover?.moments.filter((moment) => moment.step === step && moment.subject === subject).map(({ atMs }) => (atMs === null ? null : atMs - epochMs));

  test("each transition has one", () => {
    expect([failover?.phase, failback?.phase]).toEqual(["failover", "failback"]);
  });

  test("the adverts are those of the group that moves, not the survivor's own", () => {
    expect(at("last-advert", "br0")).toEqual([9_051]);
    expect(at("first-advert", "br0")).toEqual([14_051]);
    expect(failover?.moments.filter(({ step }) => step === "master").map(({ subject, atMs }) => [subject, atMs])).toEqual([["first_ingress", epochMs + takenAtMs]]);
  });

  test("only the addresses that were at home on the victim move", () => {
    expect(new Set(failover?.moments.filter(({ step }) => step === "address-up").map(({ subject }) => subject))).toEqual(new Set(["10.162.0.101", "10.165.0.101"]));
  });

  test("the flows that the survivor had all along stood still for nobody", () => {
    expect(new Set(failover?.flows.map(({ id }) => id))).toEqual(new Set(["tcp-001", "tcp-002"]));
  });

  test("the control: without the groups' numbers the survivor's own advert is taken for its first", () => {
    const unknown = cut();
    for (const { before, after } of unknown.evidence.transitions) for (const look of [before, after]) look.firewalls = {};
    const first = sandwichTimelines(unknown.evidence, sandwich, unknown.packets)[0]?.moments.find(({ step }) => step === "first-advert");
    expect((first?.atMs ?? 0) - epochMs).toBe(10_050);
  });
});
