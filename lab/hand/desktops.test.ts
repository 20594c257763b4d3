import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { machineSpec } from "../topology/topology.ts";
import { connectionFile } from "./connectionFile.ts";
import { furnishDesktops, requireMachines, withDesktopMemory } from "./desktops.ts";
import { graphicalConsoleAt, placeOf, type LabPlace } from "./place.ts";

let cache: string;
let place: LabPlace;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "fwlab-desktops-"));
  place = placeOf("lab", cache);
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
});
afterEach(async () => {
  await rm(cache, { recursive: true });
});

const image = { id: "0", kernel: "/kernel", initrd: "/initrd", root: "/root.squashfs", kernelRelease: "6.1.0-57-amd64", sizeBytes: 1 };

test("each machine has a ticket of its own, in a file for the user alone, and another one each time", async () => {
  const ticketsOf = async (): Promise<string[]> => {
    const { consoles } = await furnishDesktops(place, image, ["fw-1", "fw-2"]);
    return Promise.all(
      [...consoles.values()].map(async ({ ticketFile }) => {
        expect((await stat(ticketFile)).mode & 0o777).toBe(0o600);
        return readFile(ticketFile, "utf8");
      }),
    );
  };
  const tickets = [...(await ticketsOf()), ...(await ticketsOf())];
  expect(new Set(tickets).size).toBe(4);
  // SPICE takes 60 characters at most, and QEMU reads the file as it is.
  for (const ticket of tickets) expect(ticket).toMatch(/^[\w-]{32}$/u);
});

test("a machine that is not there is refused in one line", () => {
  requireMachines(primaryBackup, ["fw-1", "client"]);
  expect(() => requireMachines(primaryBackup, ["fw-1", "fw-7"])).toThrow(/fw-7 a graphical console: .*no machine fw-7; it has client, fw-1, fw-2, omarine/u);
});

test("a machine with a desktop has the memory for it, and the others what they had", () => {
  const wider = withDesktopMemory(primaryBackup, ["fw-1"]);
  expect(machineSpec(wider, "fw-1").memoryMiB).toBeGreaterThan(machineSpec(primaryBackup, "fw-1").memoryMiB);
  expect(machineSpec(wider, "fw-2")).toEqual(machineSpec(primaryBackup, "fw-2"));
  expect(withDesktopMemory(primaryBackup, [])).toEqual(primaryBackup);
});

test("the connection file has socket and ticket, and says that it is to be removed", () => {
  expect(connectionFile({ socket: "/c\\d/fw-1.spice" }, "ticket", "fw-1 (lab)").split("\n")).toEqual(["[virt-viewer]", "type=spice", "unix-path=/c\\\\d/fw-1.spice", "password=ticket", "title=fw-1 (lab)", "delete-this-file=1", ""]);
});

test("a socket's path that is too long is refused", () => {
  expect(() => graphicalConsoleAt({ folder: `/${"long/".repeat(25)}` }, "fw-1")).toThrow(/107 bytes/u);
});
