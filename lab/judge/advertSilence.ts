import type { Packet } from "../evidence/packet.ts";
import { hostPart, machineSpec, nicOf, type PairTopology } from "../topology/topology.ts";

/** The longest time between two VRRP adverts of a machine on one bridge. */
export interface AdvertSilence {
  readonly bridge: string;
  readonly ms: number;
  /** Host's epoch clock: when it began. */
  readonly fromMs: number;
}

/**
 * For how long a machine sent no advert before a moment, at the longest, on any of its bridges; undefined where fewer than two adverts were captured. What a
 * backup did that heard its master all along, is its own doing. By the machine's own address, as of a virtual router's MAC there may be two senders.
 */
export function longestAdvertSilence(packets: readonly Packet[], topology: PairTopology, machine: string, beforeMs: number): AdvertSilence | undefined {
  const spec = machineSpec(topology, machine);
  let longest: AdvertSilence | undefined;
  for (const { name, bridge } of spec.nics) {
    const own = hostPart(nicOf(spec, name).address);
    let lastMs: number | undefined;
    for (const { point, body, atMs } of packets) {
      if (point !== bridge || body.kind !== "vrrp" || body.sourceAddress !== own || atMs >= beforeMs) continue;
      if (lastMs !== undefined && atMs - lastMs > (longest?.ms ?? 0)) longest = { bridge, ms: atMs - lastMs, fromMs: lastMs };
      lastMs = atMs;
    }
  }
  return longest;
}
