import { tcpFlag, type Packet, type TcpBody } from "../evidence/packet.ts";
import { addressWithPort, covers } from "../topology/address.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { machineSpec, nicOf, tapName } from "../topology/topology.ts";

/** By which firewalls a connection's packets went, each way, and how many by each. */
export interface Carried {
  /** Ends as the client wrote them: `ADDRESS:PORT > ADDRESS:PORT`. */
  readonly connection: string;
  readonly client: string;
  /** The firewall that passed its first SYN on. One that rejects an answer resets the server in the client's name, and has begun nothing. */
  readonly begunBy: string;
  /**
   * Whether its ends were another connection's before: clients come by the same port again. A director that still remembers that one, for two minutes after its end, takes
   * both for one. Source: Linux net/netfilter/ipvs/ip_vs_proto_tcp.c (tcp_timeouts).
   */
  readonly again: boolean;
  readonly forward: ReadonlyMap<string, number>;
  readonly reverse: ReadonlyMap<string, number>;
}

/** Firewalls by the tap of their egress NIC, with its MAC. */
type EgressSides = ReadonlyMap<string, { readonly firewall: string; readonly mac: string }>;

/** Where packets leave firewalls for the servers, and come back. */
function egressSides(topology: SandwichTopology): EgressSides {
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

/**
 * Reads passages out of a topology's packets. Undefined for a packet of another point or protocol, for one that is not the firewall's, as a bridge that does not know a
 * way floods, and for one of a connection that no client began: directors, too, open connections through firewalls, to see whether they forward, and nobody balances those.
 */
export function egressReader(topology: SandwichTopology): (packet: Packet) => EgressPassage | undefined {
  const sides = egressSides(topology);
  const known = new Map<string, boolean>();
  const isClient = (address: string): boolean => {
    const found = known.get(address) ?? topology.clients.networks.some((network) => covers(network, address));
    known.set(address, found);
    return found;
  };
  return ({ point, sourceMac, destinationMac, body }) => {
    const side = sides.get(point);
    if (side === undefined || body.kind !== "tcp") return undefined;
    const isForward = sourceMac === side.mac;
    if (!isForward && destinationMac !== side.mac) return undefined;
    if (!isClient(isForward ? body.sourceAddress : body.destinationAddress)) return undefined;
    const ends = [addressWithPort(body.sourceAddress, body.sourcePort), addressWithPort(body.destinationAddress, body.destinationPort)];
    return { firewall: side.firewall, isForward, connection: (isForward ? ends : ends.toReversed()).join(" > "), body };
  };
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
 * Who carried each TCP connection of a client's that was begun from `fromMs` on and before `untilMs`, from the capture at the firewalls' egress NICs: a packet that leaves by
 * a firewall has its MAC as source there, an answer that it is given has it as destination. Pure.
 */
export function carriersOf(topology: SandwichTopology, packets: readonly Packet[], window: CarriersWindow): Carried[] {
  const { fromMs, untilMs, countedFromMs = Number.NEGATIVE_INFINITY, countedUntilMs = Number.POSITIVE_INFINITY } = window;
  const passageOf = egressReader(topology);
  const earlier = new Set<string>();
  const carried = new Map<string, { readonly client: string; readonly begunBy: string; readonly again: boolean; readonly forward: Map<string, number>; readonly reverse: Map<string, number> }>();
  for (const packet of packets) {
    const { atMs } = packet;
    const passage = passageOf(packet);
    if (passage === undefined) continue;
    if (atMs < fromMs) {
      earlier.add(passage.connection);
      continue;
    }
    const { firewall, isForward, connection, body } = passage;
    let entry = carried.get(connection);
    if (entry === undefined) {
      const begins = isForward && (body.flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
      if (!begins || atMs >= untilMs) continue;
      entry = { client: body.sourceAddress, begunBy: firewall, again: earlier.has(connection), forward: new Map(), reverse: new Map() };
      carried.set(connection, entry);
    }
    if (atMs < countedFromMs || atMs > countedUntilMs) continue;
    const counts = isForward ? entry.forward : entry.reverse;
    counts.set(firewall, (counts.get(firewall) ?? 0) + 1);
  }
  return [...carried].map(([connection, entry]) => ({ connection, ...entry }));
}
