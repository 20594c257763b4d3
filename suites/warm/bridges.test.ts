import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBridges, learnedAddresses, removeBridges, teachBridges, type LearnedAddress } from "../../lab/host/bridges.ts";
import { Failure } from "../../lab/failure/failure.ts";
import { qemuProgram } from "../../lab/machine/qemuArguments.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { machineSpec, nicOf, tapName } from "../../lab/topology/topology.ts";

const firewall = machineSpec(primaryBackup, "fw-1");
const nic = nicOf(firewall, "eth0");
const place: LearnedAddress = { bridge: nic.bridge, mac: nic.mac, tap: tapName(firewall, nic) };

describe("what bridges have learned", () => {
  beforeAll(() => createBridges(primaryBackup));
  afterAll(() => removeBridges(primaryBackup));

  test("new bridges know nothing; once taught, they know where an address is", async () => {
    // A bridge learns nothing of a port without carrier, and a tap has it while somebody holds it.
    const holder = execa(qemuProgram, ["-machine", "none", "-nodefaults", "-display", "none", "-netdev", `tap,id=tap,ifname=${place.tap},script=no,downscript=no`], { reject: false });
    await expect.poll(async () => (await execa("ip", ["link", "show", "dev", place.tap])).stdout, { timeout: 10_000 }).toContain("LOWER_UP");
    expect(await learnedAddresses(primaryBackup)).toEqual([]);
    await teachBridges([place]);
    expect(await learnedAddresses(primaryBackup)).toEqual([place]);
    holder.kill("SIGKILL");
    await holder;
  });

  test("an address at a tap that is not there is refused in words", async () => {
    await expect(teachBridges([{ ...place, tap: "absent" }])).rejects.toThrow(Failure);
  });
});
