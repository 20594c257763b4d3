import type { Capture } from "../evidence/capture.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { DirectionLedger, FlowLedger, Tuple } from "../evidence/ledger.ts";
import { tcpFlag, type Packet, type TcpBody, type UdpBody } from "../evidence/packet.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { machineSpec, managementBridge, managementNic, nicOf, tapName } from "../topology/topology.ts";
import { clockConverters } from "./clocks.ts";
import { story } from "./healthyRun.ts";
import { protocolOf, reversed } from "./tuples.ts";

/** Bytes of one record. */
const recordBytes = 48;
/** How long a healthy firewall has a packet. */
export const passingMs = 0.5;

const clientMac = nicOf(machineSpec(primaryBackup, "client"), "eth0").mac;
const serverMac = nicOf(machineSpec(primaryBackup, "omarine"), "eth0").mac;

const tapsAt = (name: string) =>
  new Map(
    [primaryBackup.active, primaryBackup.backup].map((firewall) => {
      const spec = machineSpec(primaryBackup, firewall);
      const nic = nicOf(spec, name);
      return [firewall, { point: tapName(spec, nic), mac: nic.mac }];
    }),
  );
const clientsTaps = tapsAt("eth1");
const serversTaps = tapsAt("eth0");

/** A packet's body before it is known who sends it. */
export type Content = Segment | Omit<UdpBody, keyof Ends>;
export type Segment = Omit<TcpBody, keyof Ends>;
interface Ends {
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** The firewall that has the duty at a time of the story. */
export function ownerAt(atMs: number): "fw-1" | "fw-2" {
  return atMs >= story.failoverMs && atMs < story.failbackMs ? "fw-2" : "fw-1";
}

/** A packet of a flow as it goes into a firewall. */
export function entering(flow: FlowLedger, direction: "forward" | "reverse", firewall: string, atMs: number, content: Content): Packet {
  return atTap(flow, direction, firewall, atMs, content, true);
}

/** A packet of a flow as it comes out of a firewall. */
export function leaving(flow: FlowLedger, direction: "forward" | "reverse", firewall: string, atMs: number, content: Content): Packet {
  return atTap(flow, direction, firewall, atMs, content, false);
}

function atTap(flow: FlowLedger, direction: "forward" | "reverse", firewall: string, atMs: number, content: Content, enters: boolean): Packet {
  const onClientsSide = enters === (direction === "forward");
  const { point, mac } = (onClientsSide ? clientsTaps : serversTaps).get(firewall) ?? { point: "", mac: "" };
  const neighbour = onClientsSide ? clientMac : serverMac;
  const forward = onClientsSide ? flow.tuple : flow.natTuple;
  const ends = endsOf(direction === "forward" ? forward : reversed(forward));
  return {
    atMs,
    point,
    sourceMac: enters ? neighbour : mac,
    destinationMac: enters ? mac : neighbour,
    body: content.kind === "tcp" ? { ...content, ...ends } : { ...content, ...ends },
  };
}

function endsOf({ source, destination }: Tuple): Ends {
  return { sourceAddress: source.address, destinationAddress: destination.address, sourcePort: source.port, destinationPort: destination.port };
}

/** A segment with the data of record `seq`, or with `bytes` from there on; numbers begin close to where they wrap. */
export function segment(seq: number, { ipId = seq % 65_536, bytes = recordBytes, ack = 1, flags = tcpFlag.ack | tcpFlag.psh }: { ipId?: number; bytes?: number; ack?: number; flags?: number } = {}): Segment {
  return { kind: "tcp", ipId, seq: (0xffff_ff00 + seq * recordBytes) >>> 0, ack, flags, payloadBytes: bytes };
}

/** A datagram with record `seq`. */
export function datagram(direction: "forward" | "reverse", seq: number): Content {
  return { kind: "udp", ipId: seq % 65_536, payloadBytes: recordBytes, record: { direction, seq, probe: false } };
}

/** Both tap's packets of one that passes. */
export function passing(flow: FlowLedger, direction: "forward" | "reverse", atMs: number, content: Content, firewall: string = ownerAt(atMs)): Packet[] {
  return [entering(flow, direction, firewall, atMs, content), leaving(flow, direction, firewall, atMs + passingMs, content)];
}

/** The packets of a healthy run at the firewalls' taps: each record that came in, shortly before, through the firewall that had the duty; TCP's acknowledged. */
export function healthyPackets({ flows, clocks }: Evidence): Packet[] {
  const toHost = clockConverters(clocks);
  const arrivals = ({ received }: DirectionLedger) => received.seq.map((seq, index) => ({ seq, atMs: toHost.get(received.clock)?.(received.atMs[index] ?? 0).atMs ?? Number.NaN }));
  return flows
    .flatMap((flow) =>
      (["forward", "reverse"] as const).flatMap((direction) =>
        arrivals(flow[direction]).flatMap(({ seq, atMs }) => {
          const back = direction === "forward" ? "reverse" : "forward";
          if (protocolOf(flow) === "udp") return passing(flow, direction, atMs - 1, datagram(direction, seq));
          const acknowledgement: Content = { kind: "tcp", ipId: 30_000 + (seq % 30_000), seq: 1, ack: seq, flags: tcpFlag.ack, payloadBytes: 0 };
          return [...passing(flow, direction, atMs - 1, segment(seq)), ...passing(flow, back, atMs + 0.1, acknowledgement)];
        }),
      ),
    )
    .sort((a, b) => a.atMs - b.atMs);
}

/** The capture that these packets would be of: whole, at every bridge and every tap of the firewalls. */
export function healthyCapture(packets: readonly Packet[]): Capture {
  const { bridges, machines } = primaryBackup;
  const taps = machines.filter(({ role }) => role === "firewall").flatMap((spec) => spec.nics.filter(({ name }) => name !== managementNic).map((nic) => tapName(spec, nic)));
  const counts = new Map<string, number>();
  for (const { point } of packets) counts.set(point, (counts.get(point) ?? 0) + 1);
  return {
    file: "captures/lab.pcapng.gz",
    snapLength: 144,
    startedAtMs: story.startMs - 1000,
    stoppedAtMs: story.endMs,
    points: [...bridges.filter((name) => name !== managementBridge), ...taps].map((name) => ({ interface: name, packets: counts.get(name) ?? 0, dropped: 0 })),
  };
}
