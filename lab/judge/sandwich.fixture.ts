import type { Evidence, Transition } from "../evidence/evidence.ts";
import type { FlowLedger } from "../evidence/ledger.ts";
import type { LoggedPacket } from "../evidence/observation.ts";
import { tcpFlag, type Packet } from "../evidence/packet.ts";
import type { Act, Balancing } from "../evidence/sandwich.ts";
import { sandwich } from "../topology/sandwich.ts";
import { machineSpec, nicOf } from "../topology/topology.ts";

export const epochMs = 1_800_000_000_000;

/** When things happen in a run that is well, in milliseconds since its beginning. */
export const story = { cutMs: 10_000, resumedMs: 14_000, backMs: 40_000, homeMs: 41_000, endMs: 60_000 } as const;

const router = "52:54:00:f2:04:02";

/** A packet at a firewall's egress tap: passed on to the servers, or given back by them. */
export function atEgress(firewall: string, way: "there" | "back", client: string, sourcePort: number, sinceMs: number, flags: number = tcpFlag.ack): Packet {
  const { mac } = nicOf(machineSpec(sandwich, firewall), sandwich.egressNic);
  const ends = { sourceAddress: client, sourcePort, destinationAddress: "172.30.0.130", destinationPort: 80 };
  const back = { sourceAddress: ends.destinationAddress, sourcePort: ends.destinationPort, destinationAddress: client, destinationPort: sourcePort };
  const body = { kind: "tcp", ...(way === "there" ? ends : back), seq: 1, ack: 1, ipId: 1, flags, payloadBytes: 10 } as const;
  return { atMs: epochMs + sinceMs, point: `${firewall}.eth2`, sourceMac: way === "there" ? mac : router, destinationMac: way === "there" ? router : mac, body };
}

/** A connection of two packets: its SYN by one firewall, its answer by the same, or another. */
export function connection(client: string, sourcePort: number, sinceMs: number, there: string, back: string = there): Packet[] {
  return [atEgress(there, "there", client, sourcePort, sinceMs, tcpFlag.syn), atEgress(back, "back", client, sourcePort, sinceMs + 10, tcpFlag.syn | tcpFlag.ack)];
}

export function balancing(scheduler: string, connections: readonly [number, number], logged: readonly LoggedPacket[] = []): Balancing {
  const look = { ok: true, atMs: epochMs, source: "observations/x" } as const;
  const servers = connections.map((count, index) => ({ address: `10.162.0.${index + 1}`, connections: count, inPackets: count, inBytes: count }));
  return { director: { ...look, data: { scheduler, servers } }, logged: { "fw-1": { ...look, data: [...logged] }, "fw-2": { ...look, data: [] } } };
}

export const rejected: LoggedPacket = { uptimeSeconds: 1, prefix: "fw-reject: ", protocol: "tcp", inNic: "eth2.165", outNic: "eth1.162", source: "172.30.0.130", destination: "172.20.0.1", sourcePort: 80, destinationPort: 4_000, flags: ["ACK"] };

/** An act in which each of so many clients asked once, and all is well: by turns by fw-1 and fw-2. */
export function quietAct(scheduler: string, clients = 40): { readonly act: Act; readonly packets: Packet[] } {
  const packets = Array.from({ length: clients }, (_, index) => connection(`172.20.0.${index + 1}`, 4_000, 100 + index, index % 2 === 0 ? "fw-1" : "fw-2")).flat();
  const requests = { client: [...Array(clients).keys()], atMs: Array.from({ length: clients }, (_, index) => epochMs + 100 + index), tookMs: Array<number>(clients).fill(8), outcome: Array<string>(clients).fill("ok") };
  const act: Act = { name: scheduler, fromMs: epochMs, untilMs: epochMs + 5_000, held: 0, load: { requests, lost: [], held: 0 }, before: balancing(scheduler, [7, 9]), after: balancing(scheduler, [7 + clients / 2, 9 + clients / 2]) };
  return { act, packets };
}

/** A flow whose client speaks once a second, but for a pause of the given length from the cut on, in which nothing comes over. */
function flow(id: string, client: string, pauseMs: number): FlowLedger {
  const times = Array.from({ length: story.endMs / 1_000 }, (_, index) => index * 1_000 + 500);
  const arrival = (atMs: number) => (atMs >= story.cutMs && atMs < story.cutMs + pauseMs ? story.cutMs + pauseMs : atMs + 5);
  const seq = [...times.keys()];
  const tuple = { source: { address: client, port: 4_000 }, destination: { address: "172.30.0.130", port: 80 } };
  const silent = { sent: { clock: "servers-1", seq: [], atMs: [] }, received: { clock: "clients", seq: [], atMs: [] }, corrupt: 0 };
  return {
    ...{ id, kind: "tcp", mode: "client", intervalMs: 1_000, tuple, natTuple: tuple, serverSawSources: [tuple.source], accepted: 1, errors: [] },
    forward: { sent: { clock: "clients", seq, atMs: times }, received: { clock: "servers-1", seq, atMs: times.map(arrival) }, corrupt: 0 },
    reverse: silent,
  };
}

const look = (sinceMs: number) => ({ moment: "x", atMs: epochMs + sinceMs, firewalls: {}, neighbours: {}, forwarding: {} });

/** fw-1 loses its power under four flows, two of them its own, is back, and takes its own again: a run that is well. */
export function healthyCut(): { readonly evidence: Evidence; readonly packets: Packet[] } {
  const flows = Array.from({ length: 4 }, (_, index) => flow(`tcp-00${index + 1}`, `172.20.200.${index + 1}`, index < 2 ? 3_600 : 0));
  const packets = flows.flatMap(({ tuple: { source } }, index) => {
    const carrier = (sinceMs: number) => (index >= 2 || (sinceMs >= story.cutMs && sinceMs < story.homeMs) ? "fw-2" : "fw-1");
    const spoken = Array.from({ length: story.endMs / 1_000 }, (_, second) => second * 1_000 + 500).filter((sinceMs) => index >= 2 || sinceMs < story.cutMs || sinceMs > story.cutMs + 3_600);
    return [...connection(source.address, source.port, 100, carrier(0)), ...spoken.flatMap((sinceMs) => [atEgress(carrier(sinceMs), "there", source.address, source.port, sinceMs), atEgress(carrier(sinceMs), "back", source.address, source.port, sinceMs + 3)])];
  });
  const transition = (phase: Transition["phase"], from: string, to: string, atMs: number, afterMs: number): Transition => ({
    ...{ phase, from, to, before: look(atMs - 3_000), after: look(afterMs), probes: [], outageBoundMs: 10_000 },
    fault: { id: phase === "failback" ? "failback" : "power-cut", target: "fw-1", atMs: epochMs + atMs, effect: { bit: true, measured: "it struck", evidence: "x" } },
  });
  const asked = Array.from({ length: 60 }, (_, second) => epochMs + second * 1_000);
  const act: Act = {
    ...{ name: "cut", fromMs: epochMs, untilMs: epochMs + story.endMs, held: 2, before: balancing("rr", [0, 0]), after: balancing("rr", [2, 2]) },
    load: { requests: { client: asked.map(() => 0), atMs: asked, tookMs: asked.map((atMs) => (atMs - epochMs >= story.cutMs && atMs - epochMs < story.resumedMs ? 2_000 : 10)), outcome: asked.map(() => "ok") }, lost: [], held: 2 },
  };
  const evidence: Evidence = {
    ...{ topology: "sandwich", flows, events: [], acts: [act], hostHealth: { worstTimerDelayMs: 3, allowedTimerDelayMs: 500 }, capture: "off" },
    clocks: ["clients", "servers-1"].map((clock) => ({ clock, offsetMs: epochMs, errorMs: 0.1, measuredAtMs: epochMs })),
    transitions: [transition("failover", "fw-1", "fw-2", story.cutMs, 20_000), transition("failback", "fw-2", "fw-1", story.homeMs, 50_000)],
  };
  return { evidence, packets: packets.toSorted((a, b) => a.atMs - b.atMs) };
}
