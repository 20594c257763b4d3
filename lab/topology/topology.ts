/** One NIC of a machine: the name it has in the guest, the bridge that its tap is plugged into, its own (not virtual) address. */
export interface Nic {
  readonly name: string;
  readonly bridge: string;
  /** Fixed, locally administered (IEEE 802 U/L bit set), unique in the lab. */
  readonly mac: string;
  /** Address with prefix length, as the config tree gives it, in canonical text (`canonicalAddress`); mgmt0's is given by the lab, and is IPv4. */
  readonly address: string;
  /** The 802.1Q VLAN that the address is in, on a NIC that is a trunk: the interface `NAME.ID`. */
  readonly vlan?: number;
}

/** What a machine is for: an endpoint that runs flows; a firewall, a director or a router under test. */
export type Role = "endpoint" | "firewall" | "director" | "router";

/** One machine of a topology. Data NICs come first, in the order in which the guest's kernel names them; `mgmt0` is last. */
export interface MachineSpec {
  readonly name: string;
  readonly role: Role;
  readonly memoryMiB: number;
  readonly nics: readonly Nic[];
}

/** An address that VRRP moves between the firewalls. */
export interface VirtualAddress {
  readonly address: string;
  /** The interface of the firewalls that holds it. */
  readonly nic: string;
  readonly bridge: string;
  /** The endpoint whose packets go to it. */
  readonly neighbour: string;
}

/** A NIC of a native host: as of a machine's, but the lab gives it its address, and it meets its VLAN without a tag. */
export type NativeNic = Nic;

/**
 * A host of the lab's own in a network namespace beside the machines, at the host's speed: it is not under test. `networks` are its own, every address of
 * them: a load generator speaks as thousands.
 */
export interface NativeHost {
  readonly name: string;
  readonly nics: readonly NativeNic[];
  readonly networks: readonly string[];
  readonly routes: readonly { readonly to: string; readonly via: string }[];
}

/** Which machines exist, on which bridges, with which addresses. Pure data. */
export interface Topology {
  readonly name: string;
  readonly bridges: readonly string[];
  readonly machines: readonly MachineSpec[];
  /** Hosts that are no machines. None unless given. */
  readonly natives?: readonly NativeHost[];
  /** Address with prefix length of the host on the management bridge, inside the lab's namespace. */
  readonly managementAddress: string;
  /** MAC of the host on the management bridge: a machine that was saved must find the same host when it is restored. */
  readonly managementMac: string;
}

/** A primary/backup pair between two endpoints. */
export interface PairTopology extends Topology {
  readonly virtualAddresses: readonly VirtualAddress[];
  /** Endpoint that opens flows, and endpoint that answers them. */
  readonly client: string;
  readonly server: string;
  /** The firewall that is to be active at first, and its backup. */
  readonly active: string;
  readonly backup: string;
}

/** Whether a topology is a primary/backup pair's. */
export function isPair(topology: Topology): topology is PairTopology {
  return "virtualAddresses" in topology;
}

/** The bridge over which the lab controls its machines. */
export const managementBridge = "mgmt";

/** Name, in the guest, of the NIC on the management bridge. */
export const managementNic = "mgmt0";

/** The machine called `name`. @throws RangeError when the topology has none. */
export function machineSpec(topology: Topology, name: string): MachineSpec {
  const spec = topology.machines.find((machine) => machine.name === name);
  if (spec === undefined) {
    throw new RangeError(`topology ${topology.name} has no machine ${name}; it has ${topology.machines.map((machine) => machine.name).join(", ")}`);
  }
  return spec;
}

/** The NIC of a machine called `name`. @throws RangeError when it has none. */
export function nicOf(machine: Pick<MachineSpec | NativeHost, "name" | "nics">, name: string): Nic {
  const nic = machine.nics.find((candidate) => candidate.name === name);
  if (nic === undefined) {
    throw new RangeError(`machine ${machine.name} has no NIC ${name}; it has ${machine.nics.map((candidate) => candidate.name).join(", ")}`);
  }
  return nic;
}

/** An address without its prefix length. */
export function hostPart(addressWithPrefix: string): string {
  return addressWithPrefix.replace(/\/\d+$/u, "");
}

/** IPv4 address, without prefix, at which the lab reaches a machine or a native host. */
export function managementAddressOf(host: Pick<MachineSpec | NativeHost, "name" | "nics">): string {
  return hostPart(nicOf(host, managementNic).address);
}

/** Name of the host's side of a NIC: a machine's tap, a native host's port. At most 15 characters (IFNAMSIZ), so a long host's name is cut. */
export function tapName(host: Pick<MachineSpec | NativeHost, "name">, nic: Nic): string {
  return `${host.name.slice(0, 14 - nic.name.length)}.${nic.name}`;
}

/** Where a topology is captured: all bridges but management, and the taps of all firewalls' NICs but those on it. */
export function capturePoints({ bridges, machines }: Topology): string[] {
  const taps = machines
    .filter(({ role }) => role === "firewall")
    .flatMap((machine) => machine.nics.filter(({ name }) => name !== managementNic).map((nic) => tapName(machine, nic)));
  return [...bridges.filter((bridge) => bridge !== managementBridge), ...taps];
}
