import { hostEpochClock, type LabEvent } from "../evidence/event.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { FlowLedger, Tuple } from "../evidence/ledger.ts";
import { tcpFlag, type Packet } from "../evidence/packet.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { hostPart, machineSpec, nicOf, tapName } from "../topology/topology.ts";
import { healthyRun, story } from "./healthyRun.ts";

/** What a survivor's clock is ahead of the host's, its error, and how far it went on by the end of the run. */
export const guest = { aheadMs: 5_000, errorMs: 2, driftMs: 4 } as const;

/** When things happen in the made-up failover, in milliseconds after the fault. */
export const script = {
  lastAdvert: -300,
  masterInside: 2_700,
  masterOutside: 2_720,
  insideUp: 2_725,
  outsideUp: 2_740,
  firstAdvert: 2_750,
  commitBegan: 2_800,
  commitEnded: 2_810,
  announced: 2_850,
  forwarded: 2_900,
  reversed: 2_905,
} as const;

/** The moments of `script`, some of them otherwise. */
export type Script = { readonly [K in keyof typeof script]: number };

interface Made {
  readonly evidence: Evidence;
  readonly packets: Packet[];
}

const journal = "journals/failover-after/fw-2.jsonl";
const watch = "events/fw-2.addresses.txt";
const faultMs = story.failoverMs;

/** A healthy run with its failover's events and packets: fw-2 takes over from fw-1 as the script says. Flow `tcp-000` is the one whose packets are seen. */
export function takeover(changes: Partial<Script> = {}): Made {
  const at = { ...script, ...changes };
  const healthy = healthyRun();
  const clock = "fw-2/realtime";
  const told = (afterMs: number, source: string, text: string) => ({ where: "fw-2", clock, source, text, atMs: faultMs + afterMs + guest.aheadMs });
  const events: LabEvent[] = [
    { ...told(at.masterInside, journal, "(inside) Entering MASTER STATE"), kind: "vrrp-state", instance: "eth1", state: "MASTER" },
    { ...told(at.masterOutside, journal, "(outside) Entering MASTER STATE"), kind: "vrrp-state", instance: "eth0", state: "MASTER" },
    { ...told(at.insideUp, watch, "inet 192.168.0.100/24"), kind: "address", address: "192.168.0.100", nic: "eth1", change: "added" },
    { ...told(at.outsideUp, watch, "inet 192.168.1.100/24"), kind: "address", address: "192.168.1.100", nic: "eth0", change: "added" },
    { ...told(at.commitBegan, journal, "committing all external caches"), kind: "commit", stage: "began" },
    { ...told(at.commitEnded, journal, "commit has taken 0.01 seconds"), kind: "commit", stage: "ended", entries: 6 },
    { where: "br0", clock: hostEpochClock, source: "events/forwarding.txt", text: "Deleted", atMs: faultMs + 900, kind: "forwarding", mac: "52:54:00:f1:02:00", port: "fw-1.eth0", change: "forgotten" },
  ];
  const offsets = [0, guest.driftMs].map((drift, index) => ({ clock, offsetMs: -guest.aheadMs - drift, errorMs: guest.errorMs, measuredAtMs: faultMs + index * 8_000 }));
  // The backup's MACs are known to the bridges by what it said itself.
  const transitions = healthy.transitions.map((transition) => {
    const forwarding = Object.fromEntries(Object.entries(transition.before.forwarding).map(([bridge, look]) => [bridge, look.ok ? { ...look, data: [...look.data, { mac: nicOn("fw-2", bridge).nic.mac, port: nicOn("fw-2", bridge).tap }] } : look]));
    return transition.phase === "failover" ? { ...transition, before: { ...transition.before, forwarding } } : transition;
  });
  const evidence: Evidence = {
    ...healthy,
    transitions,
    clocks: [...healthy.clocks, ...offsets],
    events,
    capture: { file: "captures/lab.pcapng", snapLength: 144, startedAtMs: story.startMs, stoppedAtMs: story.endMs, points: [] },
  };
  const flow = healthy.flows[0];
  if (flow === undefined) throw new Error("the healthy run has flows");
  const packets = [
    ...["br0", "br1"].flatMap((bridge) => [
      advert("fw-1", bridge, at.lastAdvert - 1_000),
      advert("fw-1", bridge, at.lastAdvert),
      advert("fw-2", bridge, at.firstAdvert),
      advert("fw-2", bridge, at.firstAdvert + 1_000),
      arp("fw-2", bridge, at.announced),
    ]),
    ...through(flow, "forward", at.forwarded, 1),
    ...through(flow, "reverse", at.reversed, 2),
  ];
  return { evidence, packets: packets.toSorted((a, b) => a.atMs - b.atMs) };
}

function nicOn(machine: string, bridge: string) {
  const spec = machineSpec(primaryBackup, machine);
  const nic = spec.nics.find((each) => each.bridge === bridge);
  if (nic === undefined) throw new Error(`${machine} is not on ${bridge}`);
  return { nic, tap: tapName(spec, nic), address: hostPart(nic.address) };
}

function advert(machine: string, bridge: string, afterMs: number): Packet {
  const { nic, address } = nicOn(machine, bridge);
  const body = { kind: "vrrp", sourceAddress: address, destinationAddress: "224.0.0.18", ipId: 0, routerId: 10, priority: machine === "fw-1" ? 150 : 100 } as const;
  return { atMs: faultMs + afterMs, point: bridge, sourceMac: nic.mac, destinationMac: "01:00:5e:00:00:12", body };
}

/** A gratuitous ARP for a bridge's virtual address. */
export function arp(machine: string, bridge: string, afterMs: number, senderMac = nicOn(machine, bridge).nic.mac): Packet {
  const address = primaryBackup.virtualAddresses.find((virtual) => virtual.bridge === bridge)?.address ?? "";
  const body = { kind: "arp", operation: "request", senderMac, senderAddress: address, targetAddress: address } as const;
  return { atMs: faultMs + afterMs, point: bridge, sourceMac: nicOn(machine, bridge).nic.mac, destinationMac: "ff:ff:ff:ff:ff:ff", body };
}

/** A packet of a flow that goes into fw-2 at a moment, and out again 1 ms later if it `passes`. */
export function through(flow: FlowLedger, direction: "forward" | "reverse", afterMs: number, number: number, passes = true): Packet[] {
  const fw = machineSpec(primaryBackup, "fw-2");
  const [client, server] = [{ nic: nicOf(fw, "eth1"), tuple: flow.tuple }, { nic: nicOf(fw, "eth0"), tuple: flow.natTuple }];
  const [entry, exit] = direction === "forward" ? [client, server] : [server, client];
  const stranger = "52:54:00:f1:0f:0f";
  const frame = ({ nic, tuple }: { nic: typeof client.nic; tuple: Tuple }, atMs: number, enters: boolean): Packet => {
    const { source, destination } = direction === "forward" ? tuple : { source: tuple.destination, destination: tuple.source };
    const body = { sourceAddress: source.address, sourcePort: source.port, destinationAddress: destination.address, destinationPort: destination.port, ipId: number };
    return {
      atMs: faultMs + atMs,
      point: tapName(fw, nic),
      sourceMac: enters ? stranger : nic.mac,
      destinationMac: enters ? nic.mac : stranger,
      body: { kind: "tcp", ...body, seq: 1_000 + number * 100, ack: 1, flags: tcpFlag.ack, payloadBytes: 100 },
    };
  };
  return [frame(entry, afterMs, true), ...(passes ? [frame(exit, afterMs + 1, false)] : [])];
}
