import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exitCode } from "../failure/failure.ts";
import { recordSize } from "../traffic/agent/record.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { capturePoints } from "../topology/topology.ts";
import { snapLength, startCapture } from "./capture.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-capture-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a topology is captured on its data bridges and its firewalls' data taps, nowhere else", () => {
  expect(capturePoints(primaryBackup)).toEqual(["br0", "br1", "br2", "fw-1.eth0", "fw-1.eth1", "fw-1.eth2", "fw-2.eth0", "fw-2.eth1", "fw-2.eth2"]);
});

test("the snap length keeps a record behind two VLAN tags, IPv6, and IPv4 with all its options", () => {
  const [ethernet, tags, ipv4, ipv6, udp, tcp] = [14, 8, 60, 40, 8, 60];
  expect(snapLength).toBeGreaterThanOrEqual(ethernet + tags + ipv4 + udp + recordSize);
  expect(snapLength).toBeGreaterThanOrEqual(ethernet + tags + ipv6 + udp + recordSize);
  expect(snapLength).toBeGreaterThanOrEqual(ethernet + tags + ipv4 + tcp);
});

test.each([
  ["ends at once", { dumpcap: "echo 'dumpcap: There is no device named \"br0\".' >&2; exit 1" }, /dumpcap ended at once: dumpcap: There is no device named "br0"\.$/u],
  ["is not there", {}, /dumpcap ended at once: .*dumpcap: not found$/u],
])("a dumpcap that %s is a failure that quotes it, and leaves nothing", async (_, dumpcap, seen) => {
  const path = process.env["PATH"];
  const programs = await mkdtemp(join(folder, "programs-"));
  const scripts = { ...dumpcap, setpriv: 'shift 2\nexec "$@"', ip: "echo '[]'" };
  await Promise.all(Object.entries(scripts).map(([name, text]) => writeFile(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })));
  const place = await mkdtemp(join(folder, "place-"));
  process.env["PATH"] = programs;
  try {
    const started = startCapture({ topology: primaryBackup, folder: place, signal: new AbortController().signal });
    await expect(started).rejects.toMatchObject({ exit: exitCode.invalid, seen: expect.stringMatching(seen) as string });
  } finally {
    process.env["PATH"] = path;
  }
  expect(await readdir(place)).toEqual([]);
});
