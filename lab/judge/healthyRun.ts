import type { Evidence, Probe, Transition } from "../evidence/evidence.ts";
import type { Clock, DirectionLedger, FlowKind, FlowLedger, FlowMode, RecordColumns } from "../evidence/ledger.ts";
import type { ConntrackEntry, FirewallViews, LoggedPacket, Look, Observation } from "../evidence/observation.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { machineSpec, nicOf, tapName } from "../topology/topology.ts";
import { returnId } from "./scene.ts";

/** A made-up run in which all is well, for tests of judge and report. Times are milliseconds of the host's epoch clock. */
export const story = {
  startMs: 1_700_000_000_000,
  failoverMs: 1_700_000_010_000,
  failoverOutageMs: 3000,
  failbackMs: 1_700_000_030_000,
  failbackOutageMs: 400,
  endMs: 1_700_000_040_000,
} as const;

/** What the machines' clocks are behind the host's. They drift by 2 ms over the run. */
const offsets: Record<string, number> = { client: 1_699_999_950_000, omarine: 1_699_999_912_345 };
const transitMs = 4;

const outages = [
  [story.failoverMs, story.failoverMs + story.failoverOutageMs],
  [story.failbackMs, story.failbackMs + story.failbackOutageMs],
] as const;

interface Sending {
  readonly seq: number;
  readonly atMs: number;
}

const outageAt = (atMs: number) => outages.find(([from, until]) => atMs >= from && atMs < until);

function columns(clock: string, records: readonly Sending[]): RecordColumns {
  const offset = offsets[clock] ?? 0;
  const drift = (atMs: number) => (2 * (atMs - story.startMs)) / (story.endMs - story.startMs);
  return { clock, seq: records.map(({ seq }) => seq), atMs: records.map(({ atMs }) => atMs - offset - drift(atMs)) };
}

/** What arrives of what was sent: in an outage a stream is held back, a datagram is gone. */
function arrivals(kind: FlowKind, sent: readonly Sending[]): Sending[] {
  let latest = 0;
  return sent.flatMap(({ seq, atMs }) => {
    const outage = outageAt(atMs);
    if (outage !== undefined && kind === "udp") return [];
    latest = Math.max(latest + 0.01, (outage?.[1] ?? atMs) + transitMs);
    return [{ seq, atMs: latest }];
  });
}

function direction(sender: string, receiver: string, sent: readonly Sending[], received: readonly Sending[]): DirectionLedger {
  return { sent: columns(sender, sent), received: columns(receiver, received), corrupt: 0 };
}

function paced(intervalMs: number, phaseMs: number): Sending[] {
  return Array.from({ length: Math.floor((story.endMs - 200 - story.startMs - phaseMs) / intervalMs) }, (_, seq) => ({ seq, atMs: story.startMs + phaseMs + seq * intervalMs }));
}

function told(delayMs: number): Sending[] {
  return [story.failoverMs, story.failbackMs].flatMap((atMs, index) => [0, 1, 2].map((step) => ({ seq: index * 3 + step, atMs: atMs + 4000 + delayMs + step * 100 })));
}

function flow(index: number, kind: FlowKind, mode: FlowMode, intervalMs: number): FlowLedger {
  const port = 20_000 + index;
  const destination = { address: "192.168.1.3", port: kind === "ssh" ? 22 : 7 };
  const natSource = { address: "192.168.1.100", port };
  const phaseMs = (index * 7) % intervalMs;
  const speaks = (name: "client" | "server") => mode === name || mode === "both";
  const forward = mode === "idle" ? told(50) : mode === "request" || speaks("client") ? paced(intervalMs, phaseMs) : [];
  const atServer = arrivals(kind, forward);
  const reverse = mode === "idle" ? told(0) : mode === "request" ? atServer : speaks("server") ? paced(intervalMs, phaseMs) : [];
  return {
    id: `${kind}-${String(index).padStart(3, "0")}`,
    kind,
    mode,
    intervalMs,
    tuple: { source: { address: "192.168.0.3", port }, destination },
    natTuple: { source: natSource, destination },
    serverSawSources: [natSource],
    accepted: 1,
    forward: direction("client", "omarine", forward, atServer),
    reverse: direction("omarine", "client", reverse, arrivals(kind, reverse)),
    errors: [],
  };
}

const mix: readonly (readonly [FlowKind, FlowMode])[] = [
  ["tcp", "client"],
  ["tcp", "server"],
  ["tcp", "idle"],
  ["tcp", "both"],
  ["ssh", "request"],
  ["udp", "request"],
];

function look<T>(moment: string, machine: string, view: string, data: T, atMs: number = story.startMs): Look<T> {
  return { ok: true, atMs, source: `observations/${moment}/${machine}/${view}.txt`, data };
}

function entry({ kind, tuple, natTuple }: FlowLedger, timeout: boolean): ConntrackEntry {
  const tupleOf = (source: { address: string; port: number }, destination: { address: string; port: number }) => ({
    source: source.address,
    destination: destination.address,
    sourcePort: source.port,
    destinationPort: destination.port,
  });
  return {
    protocol: kind === "udp" ? "udp" : "tcp",
    ...(kind !== "udp" && { state: "ESTABLISHED" }),
    ...(timeout && { timeoutSeconds: 431_999 }),
    original: tupleOf(tuple.source, tuple.destination),
    ...(timeout && { reply: tupleOf(natTuple.destination, natTuple.source) }),
    flags: ["ASSURED"],
  };
}

function logged(sourcePort: number, destinationPort: number, flags: string[]): LoggedPacket {
  return { uptimeSeconds: sourcePort / 7, prefix: "fw-drop: ", protocol: "tcp", inNic: "eth1", outNic: "eth0", source: "192.168.0.3", destination: "192.168.1.3", sourcePort, destinationPort, flags };
}

interface Pair {
  readonly moment: string;
  readonly atMs: number;
  readonly owner: string;
  readonly machines: readonly string[];
  /** Packets that the owner-to-be has refused by now: probes' only. */
  readonly refused: readonly LoggedPacket[];
}

function views(flows: readonly FlowLedger[], { moment, atMs, owner, refused }: Pair, machine: string): FirewallViews {
  const owns = machine === owner;
  const spec = machineSpec(primaryBackup, machine);
  const own = spec.nics.map((nic) => ({ nic: nic.name, address: nic.address.replace(/\/.*/u, ""), prefixLength: 24 }));
  const virtual = primaryBackup.virtualAddresses.map(({ nic, address }) => ({ nic, address, prefixLength: 24 }));
  const at = <T>(view: string, data: T) => look(moment, machine, view, data, atMs);
  return {
    addresses: at("addresses", owns ? [...own, ...virtual] : own),
    vrrp: at("vrrp", primaryBackup.virtualAddresses.map(({ nic }) => ({ name: nic, nic, state: owns ? "MASTER" : "BACKUP", priority: 100 }))),
    conntrack: at("conntrack", owns ? flows.map((each) => entry(each, true)) : []),
    internalCache: at("internalCache", owns ? flows.map((each) => entry(each, false)) : []),
    externalCache: at("externalCache", owns ? [] : flows.map((each) => entry(each, false))),
    conntrackStats: at("conntrackStats", { found: 0, invalid: refused.filter(({ flags }) => flags.includes("ACK")).length, insert_failed: 0, drop: 0, early_drop: 0, error: 0 }),
    dropCounters: at("dropCounters", [{ rule: "forward refused", packets: refused.length, bytes: refused.length * 60 }]),
    loggedPackets: at("loggedPackets", [...refused]),
  };
}

function observation(flows: readonly FlowLedger[], pair: Pair): Observation {
  const nics = primaryBackup.virtualAddresses.map((virtual) => ({ virtual, spec: machineSpec(primaryBackup, pair.owner), nic: nicOf(machineSpec(primaryBackup, pair.owner), virtual.nic) }));
  return {
    moment: pair.moment,
    atMs: pair.atMs,
    firewalls: Object.fromEntries(pair.machines.map((machine) => [machine, views(flows, pair, machine)])),
    neighbours: Object.fromEntries(nics.map(({ virtual, nic }) => [virtual.neighbour, look(pair.moment, virtual.neighbour, "neighbours", [{ address: virtual.address, nic: "eth0", mac: nic.mac, state: ["REACHABLE"] }])])),
    forwarding: Object.fromEntries(nics.map(({ virtual, spec, nic }) => [virtual.bridge, look(pair.moment, virtual.bridge, "forwarding", [{ mac: nic.mac, port: tapName(spec, nic) }])])),
  };
}

function probes(faultMs: number, firstPort: number): Probe[] {
  const at = { before: faultMs - 2000, during: faultMs + 500, after: faultMs + 6000 };
  const probe = (id: Probe["id"], moment: Probe["moment"], port: number, outcome: string, rest: Partial<Probe> = {}): Probe => ({
    id, moment, atMs: at[moment], target: `omarine:${id === "denied-service" ? 23 : 7}`, outcome, tookMs: 12, sourcePorts: [port], packetsSent: 1, packetsThrough: 0, capturedControl: 0, ...rest,
  });
  return [
    probe("allowed-service", "before", firstPort, "answered", { packetsThrough: 1 }),
    probe("denied-service", "before", firstPort + 1, "timeout"),
    probe("forged-ack", "before", firstPort + 2, "sent", { packetsSent: 2, capturedControl: 5 }),
    probe("denied-service", "during", firstPort + 3, "timeout"),
    probe("allowed-service", "after", firstPort + 4, "answered", { packetsThrough: 1 }),
    probe("denied-service", "after", firstPort + 5, "timeout"),
    probe("forged-ack", "after", firstPort + 6, "sent", { packetsSent: 2, capturedControl: 5 }),
  ];
}

function transition(flows: readonly FlowLedger[], phase: Transition["phase"]): Transition {
  const failover = phase === "failover";
  const [from, to] = failover ? ["fw-1", "fw-2"] : ["fw-2", "fw-1"];
  const faultMs = failover ? story.failoverMs : story.failbackMs;
  const firstPort = failover ? 50_000 : 50_100;
  const refused = [logged(firstPort + 3, 23, ["SYN"]), logged(firstPort + 5, 23, ["SYN"]), logged(firstPort + 6, 7, ["ACK", "PSH"]), logged(firstPort + 6, 7, ["ACK"])];
  return {
    phase,
    from,
    to,
    fault: failover
      ? { id: "power-cut", target: "fw-1", atMs: faultMs, effect: { bit: true, measured: "QEMU of fw-1 ended by SIGKILL", evidence: "consoles/fw-1.log" } }
      : { id: returnId, target: "fw-1", atMs: faultMs, effect: { bit: true, measured: "fw-1 owned 192.168.0.100 again", evidence: "consoles/fw-1.log" } },
    before: observation(flows, { moment: `${phase}-before`, atMs: faultMs - 1000, owner: from, machines: ["fw-1", "fw-2"], refused: [] }),
    after: observation(flows, { moment: `${phase}-after`, atMs: faultMs + 8000, owner: to, machines: failover ? [to] : ["fw-1", "fw-2"], refused }),
    probes: probes(faultMs, firstPort),
    outageBoundMs: 5000,
  };
}

function clock(name: string, measuredAtMs: number, driftMs: number): Clock {
  return { clock: name, offsetMs: (offsets[name] ?? 0) + driftMs, errorMs: 1, measuredAtMs };
}

/** Evidence of a healthy run with `count` flows of all kinds and modes: failover, then failback. */
export function healthyRun(count = 6, intervalMs = 100): Evidence {
  const flows = Array.from({ length: count }, (_, index) => flow(index, ...(mix[index % mix.length] ?? ["tcp", "client"]), intervalMs));
  return {
    topology: primaryBackup.name,
    flows,
    clocks: Object.keys(offsets).flatMap((name) => [clock(name, story.startMs, 0), clock(name, story.endMs, 2)]),
    transitions: [transition(flows, "failover"), transition(flows, "failback")],
    events: [],
    hostHealth: { worstTimerDelayMs: 40, allowedTimerDelayMs: 500 },
  };
}
