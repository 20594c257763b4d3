import { describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { Look } from "../evidence/observation.ts";
import type { Packet, VrrpBody } from "../evidence/packet.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { hostPart, machineSpec, nicOf, tapName } from "../topology/topology.ts";
import { entering, healthyCapture, healthyPackets, ownerAt, segment } from "./healthyPackets.ts";
import { healthyRun, story } from "./healthyRun.ts";
import { judge } from "./judge.ts";

const firewalls = [primaryBackup.active, primaryBackup.backup] as const;
const sides = { eth0: 10, eth1: 11 } as const;
const macOf = (routerId: number): string => `00:00:5e:00:01:${routerId.toString(16).padStart(2, "0")}`;
const ownMacs = new Map<string, string>(
  firewalls.flatMap((name) => Object.entries(sides).map(([nic, routerId]) => [nicOf(machineSpec(primaryBackup, name), nic).mac, macOf(routerId)] as const)),
);

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the healthy run lacks what the test changes");
  return value;
}

function data<T>(look: Look<T> | undefined): T {
  if (!look?.ok) throw new Error("a look of the healthy run failed");
  return look.data;
}

/** An advert of a firewall's, as both firewalls' taps see it. */
function advert(sender: string, nic: keyof typeof sides, atMs: number, priority = 100): Packet[] {
  const body: VrrpBody = { kind: "vrrp", routerId: sides[nic], priority, sourceAddress: hostPart(nicOf(machineSpec(primaryBackup, sender), nic).address), destinationAddress: "224.0.0.18", ipId: 0 };
  return firewalls.map((name) => {
    const spec = machineSpec(primaryBackup, name);
    return { atMs, point: tapName(spec, nicOf(spec, nic)), sourceMac: macOf(sides[nic]), destinationMac: "01:00:5e:00:00:12", body };
  });
}

/** The healthy run of a pair whose virtual addresses have MACs of their own: packets come in by these, and go out by the NICs'. */
function virtualRun(): { readonly evidence: Evidence; readonly packets: Packet[] } {
  const evidence = healthyRun();
  for (const { after } of evidence.transitions) {
    for (const look of Object.values(after.neighbours)) for (const entry of data(look)) entry.mac = ownMacs.get(entry.mac ?? "") ?? entry.mac;
    for (const look of Object.values(after.forwarding)) data(look).push(...data(look).map(({ mac, port }) => ({ mac: ownMacs.get(mac) ?? mac, port })));
  }
  const packets = healthyPackets(evidence).map((packet) => ({ ...packet, destinationMac: ownMacs.get(packet.destinationMac) ?? packet.destinationMac }));
  for (let atMs: number = story.startMs - 900; atMs < story.endMs; atMs += 1000) for (const nic of ["eth0", "eth1"] as const) packets.push(...advert(ownerAt(atMs), nic, atMs));
  for (const [atMs, nic] of [[story.failoverMs, "eth0"], [story.failoverMs, "eth1"], [story.failbackMs, "eth0"], [story.failbackMs, "eth1"]] as const) packets.push(...advert(ownerAt(atMs), nic, atMs));
  evidence.capture = healthyCapture(packets);
  return { evidence, packets };
}

function judged({ evidence, packets }: ReturnType<typeof virtualRun>) {
  const judgement = judge({ ...evidence, capture: healthyCapture(packets) }, { packets: packets.toSorted((a, b) => a.atMs - b.atMs) });
  return { ...judgement, failed: judgement.checks.filter(({ verdict }) => verdict !== "pass").map(({ id, phase, verdict }) => `${id} ${phase} ${verdict}`) };
}

test("a pair whose virtual addresses have MACs of their own: everything that the master took came out", () => {
  const { failed, drops } = judged(virtualRun());
  expect(failed).toEqual([]);
  for (const { entered, forwarded } of drops) {
    expect(entered).toBeGreaterThan(500);
    expect(forwarded).toBe(entered);
  }
});

describe("whose a frame to such a MAC is", () => {
  const dropAt = (atMs: number) => {
    const run = virtualRun();
    const flow = must(run.evidence.flows.find(({ kind, mode }) => kind === "tcp" && mode === "client"));
    run.packets.push({ ...entering(flow, "forward", "fw-2", atMs, segment(900_000)), destinationMac: macOf(sides.eth1) });
    return judged(run);
  };

  test("the backup's it is not, when it is flooded to it; the master's, the control", () => {
    expect(dropAt(story.failoverMs - 500).drops[0]?.dropped).toBe(0);
    expect(dropAt(story.failoverMs + 500)).toMatchObject({ drops: [{ dropped: 1 }, {}], failed: ["no-drops-on-survivor failover fail"] });
  });

  test("nobody's, once its master has given it up", () => {
    const run = virtualRun();
    const flow = must(run.evidence.flows.find(({ kind, mode }) => kind === "tcp" && mode === "client"));
    run.packets.push(...advert("fw-2", "eth1", story.failbackMs - 500.2, 0), { ...entering(flow, "forward", "fw-2", story.failbackMs - 500.1, segment(900_000)), destinationMac: macOf(sides.eth1) });
    run.packets.push(...advert("fw-2", "eth1", story.failbackMs - 500));
    expect(judged(run).drops[0]?.dropped).toBe(0);
  });

  test("a capture without an adverts proves nothing", () => {
    const run = virtualRun();
    expect(judged({ ...run, packets: run.packets.filter(({ body }) => body.kind !== "vrrp") }).failed).toEqual(["no-drops-on-survivor failover invalid", "no-drops-on-survivor failback invalid"]);
  });
});

describe("vips-moved asks where the bridge leads that MAC", () => {
  test.each<[string, (evidence: Evidence) => unknown, RegExp]>([
    ["to the other's tap", (e) => data(must(e.transitions[0]).after.forwarding["br1"]).forEach((entry) => entry.mac.startsWith("00:00:5e") && (entry.port = "fw-1.eth1")), /br1 leads the virtual router's 00:00:5e:00:01:0b to fw-1\.eth1 instead of fw-2\.eth1/u],
    ["to both", (e) => data(must(e.transitions[0]).after.forwarding["br1"]).push({ mac: macOf(11), port: "fw-1.eth1" }), /to fw-2\.eth1 and fw-1\.eth1/u],
    ["nowhere", (e) => data(must(e.transitions[0]).after.forwarding["br1"]).splice(1), /br1 has not learned the virtual router's/u],
    ["a neighbour that has the other's own MAC", (e) => data(must(e.transitions[0]).after.neighbours["client"]).forEach((entry) => (entry.mac = nicOf(machineSpec(primaryBackup, "fw-1"), "eth1").mac)), /client sends 192\.168\.0\.100 to/u],
  ])("the control: %s", (_, change, told) => {
    const run = virtualRun();
    change(run.evidence);
    const check = judged(run).checks.find(({ id, phase }) => id === "vips-moved" && phase === "failover");
    expect(check).toMatchObject({ verdict: "fail", explanation: expect.stringMatching(told) as string });
  });
});
