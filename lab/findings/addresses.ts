import { BlockList, isIP, SocketAddress } from "node:net";
import { hostPart, managementNic, type MachineSpec, type Nic, type PairTopology } from "../topology/topology.ts";

/** An address without prefix in the one way to write it; undefined when it is none. */
export function canonical(text: string): string | undefined {
  const address = hostPart(text);
  const family = isIP(address);
  return family === 0 ? undefined : new SocketAddress({ address, family: family === 4 ? "ipv4" : "ipv6" }).address;
}

export function sameAddress(a: string, b: string): boolean {
  const left = canonical(a);
  return left !== undefined && left === canonical(b);
}

/** Whether a network, or a single address, holds an address. */
export function covers(network: string, address: string): boolean {
  const base = canonical(network);
  const inside = canonical(address);
  if (base === undefined || inside === undefined || isIP(base) !== isIP(inside)) return false;
  const prefix = /\/(\d+)$/u.exec(network)?.[1];
  const family = isIP(base) === 4 ? "ipv4" : "ipv6";
  const bits = prefix === undefined ? undefined : Number(prefix);
  if (bits !== undefined && bits > (family === "ipv4" ? 32 : 128)) return false;
  const list = new BlockList();
  if (bits === undefined) list.addAddress(base, family);
  else list.addSubnet(base, bits, family);
  return list.check(inside, family);
}

/** A firewall's interfaces for traffic and replication. */
export function dataNics({ nics }: MachineSpec): Nic[] {
  return nics.filter(({ name }) => name !== managementNic);
}

/** Whose own address this is, management left out. */
export function ownerOf({ machines }: PairTopology, address: string): { readonly machine: MachineSpec; readonly nic: Nic } | undefined {
  for (const machine of machines) for (const nic of dataNics(machine)) if (sameAddress(nic.address, address)) return { machine, nic };
  return undefined;
}

/** Bridges that carry neither a virtual address nor management: for the replication of states. */
export function syncBridges({ bridges, machines, virtualAddresses }: PairTopology): string[] {
  const management = machines.flatMap(({ nics }) => nics.filter(({ name }) => name === managementNic).map(({ bridge }) => bridge));
  return bridges.filter((bridge) => !management.includes(bridge) && virtualAddresses.every((virtual) => virtual.bridge !== bridge));
}
