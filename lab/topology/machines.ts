import { managementBridge, managementNic, type MachineSpec, type Nic, type Role } from "./topology.ts";

/** Locally administered MAC: 52:54:00 is the prefix QEMU's documentation uses; then topology, machine number and NIC number. */
export function mac(topologyNumber: number, machineNumber: number, nicNumber: number): string {
  return ["52:54:00", ...[topologyNumber, machineNumber, nicNumber].map((number) => number.toString(16).padStart(2, "0"))].join(":");
}

/** The machines of a topology that tells itself from others by this number, in their addresses. */
export function machinesOf(topologyNumber: number) {
  return (name: string, machineNumber: number, role: Role, nics: readonly Omit<Nic, "mac">[]): MachineSpec => {
    const withManagement = [...nics, { name: managementNic, bridge: managementBridge, address: `10.99.0.${10 + machineNumber}/24` }];
    return { name, role, memoryMiB: 256, nics: withManagement.map((nic, nicNumber) => ({ ...nic, mac: mac(topologyNumber, machineNumber, nicNumber) })) };
  };
}
