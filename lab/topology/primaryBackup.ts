import { mac, machinesOf } from "./machines.ts";
import { managementBridge, type MachineSpec, type PairTopology } from "./topology.ts";

const topologyNumber = 0xf1;
const machine = machinesOf(topologyNumber);

/** Where each of the pair's data networks is: all but the last part of an address, and what stands behind the address. */
interface Networks {
  readonly inside: string;
  readonly outside: string;
  readonly sync: string;
  readonly prefixLength: number;
}

/** The primary/backup pair between a client and a server: br1 is the client's side, br0 the server's, br2 carries the replication of states. */
function pair(name: PairTopology["name"], { inside, outside, sync, prefixLength }: Networks): PairTopology {
  const firewall = (machineName: string, machineNumber: number, own: number): MachineSpec =>
    machine(machineName, machineNumber, "firewall", [
      { name: "eth0", bridge: "br0", address: `${outside}${own}/${prefixLength}` },
      { name: "eth1", bridge: "br1", address: `${inside}${own}/${prefixLength}` },
      { name: "eth2", bridge: "br2", address: `${sync}${own}/${prefixLength}` },
    ]);
  return {
    name,
    bridges: ["br0", "br1", "br2", managementBridge],
    machines: [
      machine("client", 1, "endpoint", [{ name: "eth0", bridge: "br1", address: `${inside}3/${prefixLength}` }]),
      firewall("fw-1", 2, 1),
      firewall("fw-2", 3, 2),
      machine("omarine", 4, "endpoint", [{ name: "eth0", bridge: "br0", address: `${outside}3/${prefixLength}` }]),
    ],
    virtualAddresses: [
      { address: `${outside}100`, nic: "eth0", bridge: "br0", neighbour: "omarine" },
      { address: `${inside}100`, nic: "eth1", bridge: "br1", neighbour: "client" },
    ],
    client: "client",
    server: "omarine",
    active: "fw-1",
    backup: "fw-2",
    managementAddress: "10.99.0.254/24",
    managementMac: mac(topologyNumber, 0, 0xfe),
  };
}

export const primaryBackup: PairTopology = pair("primary-backup", { inside: "192.168.0.", outside: "192.168.1.", sync: "192.168.2.", prefixLength: 24 });

/** The same machines over IPv6, with addresses that are for documentation (RFC 3849). The lab itself controls them over IPv4. */
export const primaryBackupIpv6: PairTopology = pair("primary-backup-ipv6", { inside: "2001:db8:168::", outside: "2001:db8:168:1::", sync: "2001:db8:168:2::", prefixLength: 64 });
