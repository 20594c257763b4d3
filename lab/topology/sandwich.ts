import { mac, machinesOf } from "./machines.ts";
import { hostPart, managementBridge, managementNic, type MachineSpec, type NativeHost, type NativeNic, type Topology } from "./topology.ts";

const topologyNumber = 0xf2;
const machine = machinesOf(topologyNumber);

/** VLANs of the clients' side of the firewalls and of the servers' side, each on a trunk. */
export const sandwichVlans = { ingress: 162, egress: 165 } as const;

/** A director before two firewalls, and a router behind them that returns each answer through the firewall that its request came by. */
export interface SandwichTopology extends Topology {
  /** The director that has the duty at first, and who else may have it. */
  readonly director: string;
  readonly directors: readonly string[];
  /** The address that VRRP moves between directors, on the clients' side; undefined where there is one director. */
  readonly directorAddress?: string;
  readonly firewalls: readonly string[];
  readonly router: string;
  /** The firewalls' NICs on the clients' side and on the servers' side. */
  readonly ingressNic: string;
  readonly egressNic: string;
  /** Addresses that VRRP may move, where the config tree has them, and the firewall whose they are while all is well. */
  readonly homes: ReadonlyMap<string, string>;
  /** Native hosts that ask and that answer. */
  readonly clients: NativeHost;
  readonly servers: readonly NativeHost[];
}

/** Whether a topology is a sandwich's. */
export function isSandwich(topology: Topology): topology is SandwichTopology {
  return "homes" in topology;
}

const director = (name: string, machineNumber: number, own: number): MachineSpec =>
  machine(name, machineNumber, "director", [
    { name: "eth0", bridge: "br3", address: `192.168.3.${own}/24` },
    { name: "eth1", bridge: "br0", address: `10.162.0.${9 + own}/24`, vlan: sandwichVlans.ingress },
  ]);

const firewall = (name: string, machineNumber: number, own: number): MachineSpec =>
  machine(name, machineNumber, "firewall", [
    { name: "eth0", bridge: "br2", address: `192.168.2.${own}/24` },
    { name: "eth1", bridge: "br0", address: `10.162.0.${own}/24`, vlan: sandwichVlans.ingress },
    { name: "eth2", bridge: "br1", address: `10.165.0.${own}/24`, vlan: sandwichVlans.egress },
  ]);

const native = (number: number, nic: Omit<NativeNic, "mac" | "name">): NativeNic[] => [
  { ...nic, name: "eth0", mac: mac(topologyNumber, 0x20 + number, 0) },
  { name: managementNic, bridge: managementBridge, address: `10.99.0.${100 + number}/24`, mac: mac(topologyNumber, 0x20 + number, 1) },
];

/** The clients, whose way to the servers is by a director's address. */
const clientsBy = (director: string): NativeHost => ({
  name: "clients",
  nics: native(0, { bridge: "br0", vlan: sandwichVlans.ingress, address: "10.162.0.254/24" }),
  networks: ["172.20.0.0/16"],
  routes: [
    { to: "172.30.0.0/24", via: director },
    { to: "172.31.0.0/24", via: director },
  ],
});
const clients = clientsBy("10.162.0.10");

const server = (name: string, number: number, bridge: string, network: string): NativeHost => ({
  name,
  nics: native(number, { bridge, address: `${network}.2/24` }),
  networks: [`${network}.128/25`],
  routes: [
    { to: "172.20.0.0/16", via: `${network}.1` },
    // The directors, who ask whether firewalls forward.
    { to: "10.162.0.0/24", via: `${network}.1` },
  ],
});

const servers = [server("servers-1", 1, "br4", "172.30.0"), server("servers-2", 2, "br5", "172.31.0")];

/**
 * The firewall sandwich: br0 is the ingress trunk, br1 the egress trunk, br2 carries the replication of states, br3 the directors' own link, br4 and br5 are the
 * servers' networks.
 */
export const sandwich: SandwichTopology = {
  name: "sandwich",
  bridges: ["br0", "br1", "br2", "br3", "br4", "br5", managementBridge],
  machines: [
    director("lvs", 1, 1),
    firewall("fw-1", 2, 1),
    firewall("fw-2", 3, 2),
    machine("egress-router", 4, "router", [
      { name: "eth0", bridge: "br4", address: "172.30.0.1/24" },
      { name: "eth1", bridge: "br5", address: "172.31.0.1/24" },
      { name: "eth2", bridge: "br1", address: "10.165.0.254/24", vlan: sandwichVlans.egress },
    ]),
  ],
  natives: [clients, ...servers],
  director: "lvs",
  directors: ["lvs"],
  firewalls: ["fw-1", "fw-2"],
  router: "egress-router",
  ingressNic: "eth1",
  egressNic: "eth2",
  homes: new Map([
    ["10.162.0.101", "fw-1"],
    ["10.165.0.101", "fw-1"],
    ["10.162.0.102", "fw-2"],
    ["10.165.0.102", "fw-2"],
  ]),
  clients,
  servers,
  managementAddress: "10.99.0.254/24",
  managementMac: mac(topologyNumber, 0, 0xfe),
};

const directorAddress = "10.162.0.20";
const clientsOfBoth = clientsBy(directorAddress);

/** The sandwich with a second director, to whom the first one tells its connections over br3. */
export const sandwichDirectors: SandwichTopology = {
  ...sandwich,
  name: "sandwich-directors",
  machines: [...sandwich.machines, director("lvs-2", 5, 2)],
  natives: [clientsOfBoth, ...servers],
  directors: ["lvs", "lvs-2"],
  directorAddress,
  clients: clientsOfBoth,
};

/** All sandwiches, by their names. */
export const sandwiches: ReadonlyMap<string, SandwichTopology> = new Map([sandwich, sandwichDirectors].map((topology) => [topology.name, topology]));

/** The firewall whose an address is while all is well: its own, or its home's. Undefined when it is nobody's. */
export function firewallOf({ homes, machines, firewalls }: SandwichTopology, address: string): string | undefined {
  const owner = machines.find(({ name, nics }) => firewalls.includes(name) && nics.some((nic) => hostPart(nic.address) === address));
  return homes.get(address) ?? owner?.name;
}

/** The host that answers the flows with ledgers, and where: not where the load's servers answer, by the same port. */
export function serverOf({ servers }: SandwichTopology): { readonly name: string; readonly address: string } {
  const [first] = servers;
  const nic = first?.nics[0];
  if (first === undefined || nic === undefined) throw new RangeError("the sandwich has no servers");
  return { name: first.name, address: hostPart(nic.address) };
}
