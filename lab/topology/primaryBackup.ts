import { managementBridge, managementNic, type MachineSpec, type Nic, type Role, type Topology } from "./topology.ts";

/** Locally administered MAC: 52:54:00 is the prefix QEMU's documentation uses; then machine number and NIC number. */
function mac(machineNumber: number, nicNumber: number): string {
  return `52:54:00:f1:${machineNumber.toString(16).padStart(2, "0")}:${nicNumber.toString(16).padStart(2, "0")}`;
}

function machine(name: string, machineNumber: number, role: Role, nics: readonly Omit<Nic, "mac">[]): MachineSpec {
  const withManagement = [...nics, { name: managementNic, bridge: managementBridge, address: `10.99.0.${10 + machineNumber}/24` }];
  return {
    name,
    role,
    memoryMiB: 256,
    nics: withManagement.map((nic, nicNumber) => ({ ...nic, mac: mac(machineNumber, nicNumber) })),
  };
}

/** The primary/backup pair between a client and a server: br1 is the client's side, br0 the server's, br2 carries the replication of states. */
export const primaryBackup: Topology = {
  name: "primary-backup",
  bridges: ["br0", "br1", "br2", managementBridge],
  machines: [
    machine("client", 1, "endpoint", [{ name: "eth0", bridge: "br1", address: "192.168.0.3/24" }]),
    machine("fw-1", 2, "firewall", [
      { name: "eth0", bridge: "br0", address: "192.168.1.1/24" },
      { name: "eth1", bridge: "br1", address: "192.168.0.1/24" },
      { name: "eth2", bridge: "br2", address: "192.168.2.1/24" },
    ]),
    machine("fw-2", 3, "firewall", [
      { name: "eth0", bridge: "br0", address: "192.168.1.2/24" },
      { name: "eth1", bridge: "br1", address: "192.168.0.2/24" },
      { name: "eth2", bridge: "br2", address: "192.168.2.2/24" },
    ]),
    machine("omarine", 4, "endpoint", [{ name: "eth0", bridge: "br0", address: "192.168.1.3/24" }]),
  ],
  virtualAddresses: [
    { address: "192.168.1.100", nic: "eth0", bridge: "br0", neighbour: "omarine" },
    { address: "192.168.0.100", nic: "eth1", bridge: "br1", neighbour: "client" },
  ],
  client: "client",
  server: "omarine",
  active: "fw-1",
  backup: "fw-2",
  managementAddress: "10.99.0.254/24",
  managementMac: mac(0, 0xfe),
};
