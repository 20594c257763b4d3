import { canonical } from "../topology/address.ts";
import { managementNic, type MachineSpec, type Nic, type PairTopology } from "../topology/topology.ts";

export function sameAddress(a: string, b: string): boolean {
  const left = canonical(a);
  return left !== undefined && left === canonical(b);
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
