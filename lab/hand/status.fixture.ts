import type { LabStatus } from "./words.ts";

type Firewall = NonNullable<LabStatus["machines"][number]["firewall"]>;

const firewall = (holds: string[], state: string): Firewall => ({ holds, vrrp: [{ name: "outside", state, priority: 100 }, { name: "inside", state, priority: 100 }], conntrackEntries: 14, replication: { internal: 14, external: 2, lost: 0, malformed: 0 } });

const addresses = ["192.168.1.100", "192.168.0.100"];

/** A pair that is well, with ten flows. */
export const wellStatus: LabStatus = {
  topology: "primary-backup",
  config: "fixtures/omarine-snat",
  accelerator: "tcg",
  upSinceMs: 1_000_000,
  machines: [
    { name: "client", role: "endpoint", state: "up", address: "10.99.0.11" },
    { name: "fw-1", role: "firewall", state: "up", address: "10.99.0.12", firewall: firewall(addresses, "MASTER") },
    { name: "fw-2", role: "firewall", state: "up", address: "10.99.0.13", firewall: firewall([], "BACKUP") },
    { name: "omarine", role: "endpoint", state: "up", address: "10.99.0.14" },
  ],
  natives: [],
  flows: { open: 10, moving: 10, still: [] },
  broken: [],
  snapshots: [],
  graphical: [],
};

/** The same when fw-1 has lost its power, and nobody has taken over yet. */
export const cutStatus: LabStatus = {
  ...wellStatus,
  machines: wellStatus.machines.map((machine) => (machine.name === "fw-1" ? { name: "fw-1", role: "firewall", state: "off", address: "10.99.0.12" } : machine)),
  flows: { open: 10, moving: 8, still: ["tcp-003", "udp-001"] },
  broken: [{ id: "power-cut", target: "fw-1", atMs: 1_055_000 }],
};

/** The same when fw-2 has taken over, and lost messages of the replication. */
export const takenStatus: LabStatus = {
  ...cutStatus,
  machines: cutStatus.machines.map((machine) => (machine.name === "fw-2" ? { ...machine, firewall: { ...firewall(addresses, "MASTER"), replication: { internal: 14, external: 2, lost: 3, malformed: 0 } } } : machine)),
  flows: { open: 10, moving: 10, still: [] },
};
