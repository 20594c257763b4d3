import { tcpFlag, type Packet, type TcpBody } from "../evidence/packet.ts";
import { addressWithPort } from "../topology/address.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { machineSpec, nicOf, tapName } from "../topology/topology.ts";

/** By which firewalls a connection's packets went, each way, and how many by each. */
export interface Carried {
  /** Ends as the client wrote them: `ADDRESS:PORT > ADDRESS:PORT`. */
  readonly connection: string;
  readonly client: string;
  /** The firewall that passed its first SYN on. One that rejects an answer resets the server in the client's name, and has begun nothing. */
  readonly begunBy: string;
  readonly forward: ReadonlyMap<string, number>;
  readonly reverse: ReadonlyMap<string, number>;
}

/** Firewalls by the tap of their egress NIC, with its MAC. */
export type EgressSides = ReadonlyMap<string, { readonly firewall: string; readonly mac: string }>;

/** Where packets leave firewalls for the servers, and come back. */
export function egressSides(topology: SandwichTopology): EgressSides {
  return new Map(
    topology.firewalls.map((firewall) => {
      const spec = machineSpec(topology, firewall);
      const nic = nicOf(spec, topology.egressNic);
      return [tapName(spec, nic), { firewall, mac: nic.mac }];
    }),
  );
}

/** A packet of a TCP connection's that a firewall passed on to the servers, or was given by them. */
export interface EgressPassage {
  readonly firewall: string;
  readonly isForward: boolean;
  readonly connection: string;
  readonly body: TcpBody;
}

/** Undefined for a packet of another point or protocol, and for one that is not the firewall's: a bridge that does not know a way floods. */
export function egressPassage({ point, sourceMac, destinationMac, body }: Packet, sides: EgressSides): EgressPassage | undefined {
  const side = sides.get(point);
  if (side === undefined || body.kind !== "tcp") return undefined;
  const isForward = sourceMac === side.mac;
  if (!isForward && destinationMac !== side.mac) return undefined;
  const ends = [addressWithPort(body.sourceAddress, body.sourcePort), addressWithPort(body.destinationAddress, body.destinationPort)];
  return { firewall: side.firewall, isForward, connection: (isForward ? ends : ends.toReversed()).join(" > "), body };
}

export interface CarriersWindow {
  /** When connections were begun. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** When their packets are counted: all of them, unless other times are given. */
  readonly countedFromMs?: number;
  readonly countedUntilMs?: number;
}

/**
 * Who carried each TCP connection that was begun from `fromMs` on and before `untilMs`, from the capture at the firewalls' egress NICs: a packet that leaves by
 * a firewall has its MAC as source there, an answer that it is given has it as destination. Pure.
 */
export function carriersOf(topology: SandwichTopology, packets: readonly Packet[], window: CarriersWindow): Carried[] {
  const { fromMs, untilMs, countedFromMs = Number.NEGATIVE_INFINITY, countedUntilMs = Number.POSITIVE_INFINITY } = window;
  const sides = egressSides(topology);
  const carried = new Map<string, { readonly client: string; readonly begunBy: string; readonly forward: Map<string, number>; readonly reverse: Map<string, number> }>();
  for (const packet of packets) {
    const { atMs } = packet;
    const passage = atMs < fromMs ? undefined : egressPassage(packet, sides);
    if (passage === undefined) continue;
    const { firewall, isForward, connection, body } = passage;
    let entry = carried.get(connection);
    if (entry === undefined) {
      const begins = isForward && (body.flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
      if (!begins || atMs >= untilMs) continue;
      entry = { client: body.sourceAddress, begunBy: firewall, forward: new Map(), reverse: new Map() };
      carried.set(connection, entry);
    }
    if (atMs < countedFromMs || atMs > countedUntilMs) continue;
    const counts = isForward ? entry.forward : entry.reverse;
    counts.set(firewall, (counts.get(firewall) ?? 0) + 1);
  }
  return [...carried].map(([connection, entry]) => ({ connection, ...entry }));
}
