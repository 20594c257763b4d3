import type { Probe, Transition } from "../evidence/evidence.ts";
import type { LoggedPacket } from "../evidence/observation.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { returnId, type Scene } from "./scene.ts";
import { conntrackText, protocolOf, reversed, tupleText } from "./tuples.ts";

/** Whom a logged packet belonged to. Packets to the firewall itself that are no flow's are none of these: they were never to be forwarded. */
export interface Attribution {
  /** Packets of flows, by flow. */
  readonly flows: ReadonlyMap<string, number>;
  /** Packets of probes that are to be refused, or that were lost as `begunInTakeover` says. */
  readonly refusedProbes: number;
  /** Packets of nobody that we know, or of a probe that is to be let through. */
  readonly unexplained: readonly string[];
  /** Packets that were on their way through the firewall: those that the forward hook's counters count. */
  readonly forwarded: number;
}

/** Packets that were logged after the first of two looks at the same kernel's log; all of the second when the machine booted in between. */
export function loggedSince(before: readonly LoggedPacket[], after: readonly LoggedPacket[]): LoggedPacket[] {
  const known = new Map<string, number>();
  for (const packet of before) known.set(JSON.stringify(packet), (known.get(JSON.stringify(packet)) ?? 0) + 1);
  return after.filter((packet) => {
    const count = known.get(JSON.stringify(packet)) ?? 0;
    if (count > 0) known.set(JSON.stringify(packet), count - 1);
    return count === 0;
  });
}

/**
 * Gives each logged packet to a flow (either direction, before or after NAT), to a probe, or to nobody.
 * A packet to the firewall itself can be a flow's too: without its NAT state, an answer to the virtual address is for the firewall.
 */
export function attribute(scene: Scene, packets: readonly LoggedPacket[]): Attribution {
  const owners = flowTuples(scene);
  const flows = new Map<string, number>();
  const unexplained: string[] = [];
  let refusedProbes = 0;
  let forwarded = 0;
  for (const packet of packets) {
    const passing = packet.inNic !== "" && packet.outNic !== "";
    if (passing) forwarded += 1;
    const tuple = conntrackText(packet.protocol, packet);
    const flow = owners.get(tuple);
    if (flow !== undefined) flows.set(flow, (flows.get(flow) ?? 0) + 1);
    else if (passing && isRefusedProbes(scene, packet)) refusedProbes += 1;
    else if (passing) unexplained.push(`${packet.prefix.trim()} ${tuple}${packet.flags.length > 0 ? ` ${packet.flags.join(",")}` : ""}`);
  }
  return { flows, refusedProbes, unexplained, forwarded };
}

function flowTuples({ flows }: Scene): ReadonlyMap<string, string> {
  return new Map(
    flows.flatMap(({ flow }) =>
      [flow.tuple, reversed(flow.tuple), flow.natTuple, reversed(flow.natTuple)].map((tuple) => [tupleText(protocolOf(flow), tuple), flow.id] as const),
    ),
  );
}

/** Late retransmissions of the other transition's probes count too, so all probes of the run are asked. */
function isRefusedProbes({ evidence, topology }: Scene, packet: LoggedPacket): boolean {
  const addressesOf = (name: string) => machineSpec(topology, name).nics.map((nic) => hostPart(nic.address));
  const sides = { client: addressesOf(topology.client), server: addressesOf(topology.server) };
  const couldSend = ({ from = "client", protocol = "tcp" }: Probe) => packet.protocol === protocol && sides[from].includes(packet.source);
  const probes = evidence.transitions.flatMap((transition) => transition.probes).filter(couldSend);
  const ports = (id: string) => probes.filter((probe) => probe.id === id).flatMap((probe) => probe.sourcePorts);
  if (packet.sourcePort === undefined) return false;
  if (ports("allowed-service").includes(packet.sourcePort)) return begunInTakeover(evidence.transitions, packet.sourcePort);
  if ([...ports("denied-service"), ...ports("forged-ack")].includes(packet.sourcePort)) return true;
  return probes.some((probe) => probe.id === "denied-service" && probe.target.endsWith(`:${packet.destinationPort ?? ""}`));
}

/**
 * Whether this is an allowed connection that was begun while the duty moved, and was never answered; or was answered by the firewall that gave the duty
 * back, for that one lived. When its states came too late for the commit and before the neighbours were told, no pair could know of it: what is promised
 * is that connections which were there before survive.
 */
function begunInTakeover(transitions: readonly Transition[], sourcePort: number): boolean {
  return transitions.some(({ fault, probes }) =>
    probes.some(({ id, moment, outcome, sourcePorts }) => id === "allowed-service" && moment === "during" && (outcome !== "answered" || fault.id === returnId) && sourcePorts.includes(sourcePort)),
  );
}
