import type { FlowLedger, Tuple } from "../evidence/ledger.ts";
import type { IcmpBody, Packet, VrrpBody } from "../evidence/packet.ts";
import { hostPart, machineSpec, managementNic, tapName } from "../topology/topology.ts";
import { virtualRouterOf } from "../topology/virtualRouter.ts";
import type { DirectionFigures } from "./direction.ts";
import { sameness, type FlowPacket } from "./matching.ts";
import type { Scene } from "./scene.ts";
import { protocolOf, reversed, tupleText } from "./tuples.ts";

export type Direction = DirectionFigures["name"];

/** Packets of one flow and direction at a firewall's taps: where they go in, and where they come out. */
export interface Stream {
  readonly flowId: string;
  readonly direction: Direction;
  readonly entering: FlowPacket[];
  readonly leaving: FlowPacket[];
  /** ICMP errors about the flow's other direction, which travel in this one. */
  readonly errorsEntering: IcmpPacket[];
  readonly errorsLeaving: IcmpPacket[];
}

export interface IcmpPacket {
  readonly packet: Packet;
  readonly body: IcmpBody;
}

/** Packets with the tuple of no flow, by where they go; that is what a flow's become when they are translated to something else. */
export interface Strangers {
  readonly entering: ReadonlyMap<Direction, Crowd>;
  readonly leaving: ReadonlyMap<Direction, Crowd>;
}

/** Packets that can each be taken once, found by what is the same of them on both sides of a router. */
export class Crowd {
  readonly #times = new Map<string, number[]>();

  /** In the order of their times. */
  add(packet: FlowPacket): void {
    const key = sameness(packet);
    const times = this.#times.get(key);
    if (times === undefined) this.#times.set(key, [packet.packet.atMs]);
    else times.push(packet.packet.atMs);
  }

  /** Takes the same packet as this one, of those that were seen in `[fromMs, untilMs]`: its time, or undefined when there is none. */
  take(packet: FlowPacket, fromMs: number, untilMs: number): number | undefined {
    const times = this.#times.get(sameness(packet));
    const index = times?.findIndex((atMs) => atMs >= fromMs && atMs <= untilMs) ?? -1;
    return index === -1 ? undefined : times?.splice(index, 1)[0];
  }
}

/** The ends that a firewall's tap leads to. */
type Side = "client" | "server";

export const opposite: Record<Direction, Direction> = { forward: "reverse", reverse: "forward" };

/** Tells the packets of flows at a firewall's taps apart, in one pass. */
export function flowPackets(scene: Scene, packets: readonly Packet[], firewall: string): { readonly streams: readonly Stream[]; readonly strangers: Strangers } {
  const taps = tapsOf(scene, firewall);
  const { streams, owners } = streamsOf(scene);
  const crowds = () => new Map<Direction, Crowd>([["forward", new Crowd()], ["reverse", new Crowd()]]);
  const strangers = { entering: crowds(), leaving: crowds() };
  const masters = new Masters();
  for (const packet of packets) {
    const tap = taps.get(packet.point);
    if (tap === undefined) continue;
    if (packet.body.kind === "vrrp") masters.hear(packet.point, packet.body);
    const own = (mac: string): boolean => mac === tap.mac || masters.isMaster(tap, packet.point, mac);
    const enters = own(packet.destinationMac);
    if (!enters && !own(packet.sourceMac)) continue;
    // What goes in on the client's side travels forward, what comes out there in reverse.
    const direction: Direction = enters === (tap.side === "client") ? "forward" : "reverse";
    const { body } = packet;
    if (body.kind === "tcp" || body.kind === "udp") {
      const owner = owners[tap.side].get(packetText(body.kind, body, body.sourcePort, body.destinationPort));
      const flowPacket = { packet, body };
      if (owner?.direction === direction) (enters ? owner.entering : owner.leaving).push(flowPacket);
      else if (owner === undefined) (enters ? strangers.entering : strangers.leaving).get(direction)?.add(flowPacket);
    } else if (body.kind === "icmp" && body.about !== undefined) {
      const { about } = body;
      const protocol = protocolNames.get(about.protocol);
      const owner = protocol === undefined ? undefined : owners[tap.side].get(packetText(protocol, about, about.sourcePort, about.destinationPort));
      // An error travels against the packet that it is about.
      if (owner === undefined || owner.direction === direction) continue;
      const carrier = streams.get(streamKey(owner.flowId, direction));
      (enters ? carrier?.errorsEntering : carrier?.errorsLeaving)?.push({ packet, body });
    }
  }
  return { streams: [...streams.values()], strangers };
}

/** IP's numbers of the protocols that flows use (IANA). */
const protocolNames: ReadonlyMap<number, "tcp" | "udp"> = new Map([[6, "tcp"], [17, "udp"]]);

interface Tap {
  readonly side: Side;
  readonly mac: string;
  readonly address: string;
}

/**
 * Whose a virtual router's MAC is, as the packets go by: of the last one that sent an advert, until one with priority 0 gives it up. A backup must not
 * take frames to it (RFC 5798, 6.4.2), and a bridge that has forgotten it floods them to all. Over IPv6 adverts do not tell the NIC's own
 * address that we know: there it is nobody's.
 */
class Masters {
  readonly #senders = new Map<string, string>();

  hear(point: string, { routerId, priority, sourceAddress }: VrrpBody): void {
    const key = `${point} ${routerId}`;
    if (priority > 0) this.#senders.set(key, sourceAddress);
    else if (this.#senders.get(key) === sourceAddress) this.#senders.delete(key);
  }

  isMaster({ address }: Tap, point: string, mac: string): boolean {
    const routerId = virtualRouterOf(mac);
    return routerId !== undefined && this.#senders.get(`${point} ${routerId}`) === address;
  }
}

/** The firewall's taps on the bridges of the client and of the server. */
function tapsOf({ topology }: Scene, firewall: string): ReadonlyMap<string, Tap> {
  const spec = machineSpec(topology, firewall);
  const ends: readonly (readonly [Side, string])[] = [["client", topology.client], ["server", topology.server]];
  return new Map(
    ends.flatMap(([side, machine]) => {
      const bridges = machineSpec(topology, machine).nics.filter(({ name }) => name !== managementNic).map(({ bridge }) => bridge);
      return spec.nics.filter(({ bridge }) => bridges.includes(bridge)).map((nic) => [tapName(spec, nic), { side, mac: nic.mac, address: hostPart(nic.address) }] as const);
    }),
  );
}

function streamsOf({ flows }: Scene) {
  const streams = new Map<string, Stream>();
  const owners: Record<Side, Map<string, Stream>> = { client: new Map(), server: new Map() };
  for (const { flow } of flows) {
    for (const direction of ["forward", "reverse"] as const) {
      const stream: Stream = { flowId: flow.id, direction, entering: [], leaving: [], errorsEntering: [], errorsLeaving: [] };
      streams.set(streamKey(flow.id, direction), stream);
      for (const side of ["client", "server"] as const) owners[side].set(tupleText(protocolOf(flow), tupleAt(flow, side, direction)), stream);
    }
  }
  return { streams, owners };
}

/** The tuple of a flow's packets in a direction as it is on one side of the firewalls. */
function tupleAt(flow: FlowLedger, side: Side, direction: Direction): Tuple {
  const forward = side === "client" ? flow.tuple : flow.natTuple;
  return direction === "forward" ? forward : reversed(forward);
}

function streamKey(flowId: string, direction: Direction): string {
  return `${direction} ${flowId}`;
}

function packetText(protocol: string, { sourceAddress, destinationAddress }: { readonly sourceAddress: string; readonly destinationAddress: string }, sourcePort = -1, destinationPort = -1): string {
  return tupleText(protocol, { source: { address: sourceAddress, port: sourcePort }, destination: { address: destinationAddress, port: destinationPort } });
}
