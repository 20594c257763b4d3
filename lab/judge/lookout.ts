import { hostEpochClock, type LabEvent } from "../evidence/event.ts";
import type { VrrpInstance } from "../evidence/observation.ts";
import type { AdvertisementBody, ArpBody, Packet, VrrpBody } from "../evidence/packet.ts";
import type { TimelineMoment, TimelineStep } from "../evidence/timeline.ts";
import { hostPart, machineSpec, nicOf, tapName, type MachineSpec, type Nic, type VirtualAddress } from "../topology/topology.ts";
import { virtualRouterOf } from "../topology/virtualRouter.ts";
import { clockConverters, type ToHostTime } from "./clocks.ts";
import { isReturn, type Scene } from "./scene.ts";

export type PacketOf<B> = Packet & { readonly body: B };
type EventOf<K extends LabEvent["kind"]> = Extract<LabEvent, { kind: K }>;

/** Of an address: where it was said to be, and by what. */
export interface Announcement {
  readonly atMs: number;
  readonly mac: string;
  /** In words. */
  readonly by: string;
}

/** An event whose time is the host's. */
export type Timed<E> = E & { readonly hostMs: number; readonly errorMs: number };

/**
 * Where a timeline looks for its moments: the part of a run in which a transition happened, from the fault (in a failback: from the look before it,
 * as nobody knows the moment in advance) until everything was looked at again.
 */
export class Lookout {
  readonly scene: Scene;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly survivor: MachineSpec;
  /** File of the capture, for what packets show. */
  readonly captureFile: string;
  /** Why there are no packets; undefined when there are. */
  readonly noCapture: string | undefined;
  readonly #converters: ReadonlyMap<string, ToHostTime>;
  /** What machines say of the addresses, from the look before the fault on: a few of very many packets. */
  readonly #announcing: readonly Packet[];

  constructor(scene: Scene) {
    const { transition, evidence, topology, packets, untilMs } = scene;
    this.scene = scene;
    this.fromMs = isReturn(transition) ? Math.min(transition.before.atMs, scene.startMs) : transition.fault.atMs;
    this.untilMs = Math.min(untilMs, transition.after.atMs);
    this.survivor = machineSpec(topology, transition.to);
    this.captureFile = typeof evidence.capture === "object" ? evidence.capture.file : "evidence.json";
    this.noCapture = packets !== undefined ? undefined : evidence.capture === "off" ? "no capture was wanted" : "there is no capture";
    this.#converters = clockConverters(evidence.clocks);
    this.#announcing = (packets ?? []).filter(({ body, atMs }) => (body.kind === "vrrp" || body.kind === "arp" || body.kind === "advertisement") && atMs >= transition.before.atMs && atMs <= this.untilMs);
  }

  /** The VRRP instances that move the virtual addresses, as both machines tell them. Of what an earlier fwlab recorded, all of them. */
  instances(machine: string): VrrpInstance[] {
    const { before, after } = this.scene.transition;
    const all = [before, after].flatMap(({ firewalls }) => {
      const vrrp = firewalls[machine]?.vrrp;
      return vrrp?.ok === true ? vrrp.data : [];
    });
    return all.filter(({ addresses }) => addresses === undefined || addresses.some((each) => this.virtualAddresses.some(({ address }) => address === each)));
  }

  /** Their numbers on the wire; undefined where they are not known. */
  #routerIds(): ReadonlySet<number> | undefined {
    const { from, to } = this.scene.transition;
    const ids = [from, to].flatMap((machine) => this.instances(machine).flatMap(({ routerId }) => routerId ?? []));
    return ids.length === 0 ? undefined : new Set(ids);
  }

  get virtualAddresses(): readonly VirtualAddress[] {
    return this.scene.topology.virtualAddresses;
  }

  /** Bridges that have a virtual address. */
  get bridges(): string[] {
    return [...new Set(this.virtualAddresses.map(({ bridge }) => bridge))];
  }

  /** Why a machine did not tell something: it told nothing at all, or other things only. */
  silenceOf(machine: string, otherwise: string): string {
    return this.scene.evidence.events.some(({ where }) => where === machine) ? otherwise : `nothing that ${machine} told of itself was recorded`;
  }

  /** The survivor's NIC on a bridge, and its tap. */
  port(bridge: string): { readonly nic: Nic; readonly tap: string } | undefined {
    const nic = this.survivor.nics.find((each) => each.bridge === bridge);
    return nic === undefined ? undefined : { nic, tap: tapName(this.survivor, nic) };
  }

  /** VRRP adverts, of virtual routers that move, of a machine that were on a bridge, from the look before the fault on. Its own address is their source, also where its MAC is virtual. */
  adverts(machine: string, bridge: string): PacketOf<VrrpBody>[] {
    const { topology, transition } = this.scene;
    const nic = machineSpec(topology, machine).nics.find((each) => each.bridge === bridge);
    if (nic === undefined) return [];
    const own = hostPart(nicOf(machineSpec(topology, machine), nic.name).address);
    const moving = this.#routerIds();
    return this.#onBridge(bridge, transition.before.atMs).filter(
      (packet): packet is PacketOf<VrrpBody> => packet.body.kind === "vrrp" && (moving?.has(packet.body.routerId) ?? true) && (packet.body.sourceAddress === own || packet.sourceMac === nic.mac),
    );
  }

  /** ARP or neighbour advertisements on a bridge that lead an address to the survivor: to its own MAC, or to a virtual router's. */
  announcements(bridge: string, address: string, sinceMs: number): Announcement[] {
    const own = this.port(bridge)?.nic.mac;
    return this.#onBridge(bridge, sinceMs).flatMap(({ body, atMs }) => {
      const said = body.kind === "arp" ? saidByArp(body, address) : body.kind === "advertisement" ? saidByAdvertisement(body, address) : undefined;
      return said !== undefined && (said.mac === own || virtualRouterOf(said.mac) !== undefined) ? [{ atMs, ...said }] : [];
    });
  }

  #onBridge(bridge: string, sinceMs: number): Packet[] {
    return this.#announcing.filter(({ point, atMs }) => point === bridge && atMs >= sinceMs);
  }

  /** Events of one kind and place, in the order of the host's time; those on a clock that nobody measured have no such time, and are told apart. */
  events<K extends LabEvent["kind"]>(kind: K, where: string, fits: (event: EventOf<K>) => boolean): { readonly seen: Timed<EventOf<K>>[]; readonly untimed: EventOf<K>[] } {
    const all = this.scene.evidence.events.filter((event): event is EventOf<K> => event.kind === kind && event.where === where).filter(fits);
    const seen: Timed<EventOf<K>>[] = [];
    const untimed: EventOf<K>[] = [];
    for (const event of all) {
      const time = event.clock === hostEpochClock ? { atMs: event.atMs, errorMs: 0 } : this.#converters.get(event.clock)?.(event.atMs);
      if (time === undefined) untimed.push(event);
      else if (time.atMs + time.errorMs >= this.fromMs && time.atMs - time.errorMs <= this.untilMs) seen.push({ ...event, hostMs: time.atMs, errorMs: time.errorMs });
    }
    return { seen: seen.toSorted((a, b) => a.hostMs - b.hostMs), untimed };
  }
}

function saidByArp({ senderMac, senderAddress, targetAddress, operation }: ArpBody, address: string): Omit<Announcement, "atMs"> | undefined {
  if (senderAddress !== address) return undefined;
  return { mac: senderMac, by: `${targetAddress === address ? "gratuitous ARP" : `ARP about ${targetAddress}`}, ${operation}` };
}

function saidByAdvertisement({ targetMac, targetAddress, solicited }: AdvertisementBody, address: string): Omit<Announcement, "atMs"> | undefined {
  return targetAddress === address ? { mac: targetMac, by: `${solicited ? "solicited" : "unsolicited"} neighbour advertisement` } : undefined;
}

export function unseen(step: TimelineStep, subject: string, detail: string, evidence: string): TimelineMoment {
  return { step, subject, atMs: null, errorMs: 0, detail, evidence };
}

/** A moment of a machine's own telling: the first of these events, or why there is none. */
export function toldMoment(
  step: TimelineStep,
  subject: string,
  { seen, untimed }: { readonly seen: readonly Timed<LabEvent>[]; readonly untimed: readonly LabEvent[] },
  { detail, silence, evidence }: { readonly detail: (event: Timed<LabEvent>) => string; readonly silence: string; readonly evidence: string },
): TimelineMoment {
  const first = seen[0];
  if (first !== undefined) return { step, subject, atMs: first.hostMs, errorMs: first.errorMs, detail: detail(first), evidence: first.source };
  const event = untimed[0];
  if (event !== undefined) return unseen(step, subject, `told, but the clock ${event.clock} was not measured against the host's: ${event.text}`, event.source);
  return unseen(step, subject, silence, evidence);
}
