import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { exitCode, Failure } from "../failure/failure.ts";
import type { GuestImage } from "../image/image.ts";
import type { LabDesktops } from "../run/labOptions.ts";
import type { Topology } from "../topology/topology.ts";
import { graphicalConsoleAt, type LabPlace } from "./place.ts";

/** Memory of a machine whose root has a desktop, in MiB. */
const desktopMemoryMiB = 512;

/** Machines that are to have a graphical console must be of the topology. @throws Failure (usage) that names one that is not. */
export function requireMachines({ name: topology, machines }: Topology, wanted: readonly string[]): void {
  const names = machines.map(({ name }) => name);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new Failure({ tried: `give ${unknown} a graphical console`, seen: `the topology ${topology} has no machine ${unknown}; it has ${names.join(", ")}`, remedy: "Name one of them with --spice", exit: exitCode.usage });
}

/** A topology whose machines with a graphical console have the memory for it. */
export function withDesktopMemory<T extends Topology>(topology: T, wanted: readonly string[]): T {
  return { ...topology, machines: topology.machines.map((spec) => (wanted.includes(spec.name) ? { ...spec, memoryMiB: Math.max(spec.memoryMiB, desktopMemoryMiB) } : spec)) };
}

/** Gives each of these machines a place for its console and a ticket of its own, in a file for the user alone. @throws I/O errors. */
export async function furnishDesktops(place: LabPlace, boot: GuestImage, wanted: readonly string[]): Promise<LabDesktops> {
  const consoles = new Map(wanted.map((name) => [name, graphicalConsoleAt(place, name)]));
  for (const { ticketFile } of consoles.values()) {
    await rm(ticketFile, { force: true });
    // SPICE takes at most 60 characters.
    await writeFile(ticketFile, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });
  }
  return { boot, consoles };
}
