import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exitCode, Failure } from "../../lab/failure/failure.ts";
import { createBridges, removeBridges } from "../../lab/host/bridges.ts";
import { labFolder } from "../../lab/host/labFolder.ts";
import { labFiles, writeMachineFiles } from "../../lab/machine/machineFiles.ts";
import { Machine, type BootPatience, type MachineOptions } from "../../lab/machine/machine.ts";
import { SshShell } from "../../lab/machine/sshShell.ts";
import { silentProgress } from "../../lab/progress/progress.ts";
import { prepare, type Prepared } from "../../lab/run/prepare.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { machineSpec } from "../../lab/topology/topology.ts";

const spec = machineSpec(primaryBackup, "client");
let prepared: Prepared;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(labFolder(), "boot-"));
  prepared = await prepare({ topology: primaryBackup, accelerator: "auto", progress: silentProgress, signal: AbortSignal.timeout(60_000) });
  await createBridges(primaryBackup);
});

afterAll(async () => {
  await removeBridges(primaryBackup);
});

async function options(name: string, patience: BootPatience, changes: Partial<MachineOptions> = {}): Promise<MachineOptions> {
  const { image, keys, choice } = prepared;
  const hostKey = keys.hostKeys["client"] ?? { privateKey: "", publicKeyLine: "" };
  const machineFiles = join(folder, `${name}.tar`);
  await writeMachineFiles(
    machineFiles,
    labFiles(spec, { hostPrivateKey: hostKey.privateKey, hostPublicKeyLine: hostKey.publicKeyLine, clientPublicKeyLine: keys.clientPublicKeyLine }),
  );
  return {
    spec,
    accelerator: choice.accelerator,
    boot: image,
    machineFiles,
    console: join(folder, `${name}.log`),
    memory: { path: join(folder, `${name}.memory`), writes: "kept" },
    identity: { privateKey: keys.clientPrivateKey, hostPublicKeyLine: hostKey.publicKeyLine },
    progress: silentProgress,
    patience,
    ...changes,
  };
}

/** What a boot that must not end well fails with. */
async function failureOf(boot: Promise<unknown>): Promise<Failure> {
  try {
    await boot;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("the boot ended well");
}

const ample: BootPatience = { silenceMs: 60_000, bootMs: 120_000 };

describe("a boot that fails says how", () => {
  test("the control: the same machine boots, and answers by SSH with the host key made for it", async () => {
    await using machine = await Machine.powerOn(await options("good", ample));
    await machine.ready();
    expect(await machine.shell.must("cat /etc/hostname")).toBe("client\n");
    await using stranger = new SshShell("client", machine.shell.address, {
      privateKey: prepared.keys.clientPrivateKey,
      hostPublicKeyLine: prepared.keys.hostKeys["fw-1"]?.publicKeyLine ?? "",
    });
    await expect(stranger.must("true")).rejects.toThrow(/host key is not the one made for client/u);
  });

  test("stuck: the console falls silent", async () => {
    await using machine = await Machine.powerOn(await options("stuck", { silenceMs: 3_000, bootMs: 120_000 }));
    await machine.qmp.execute("stop");
    const failure = await failureOf(machine.ready());
    expect(failure.seen).toMatch(/^the boot is stuck: its console has been silent for 3 s at stage "(?:power on|kernel)"$/u);
    expect(failure.exit).toBe(exitCode.invalid);
  });

  test("slow: the console still speaks when patience ends", async () => {
    await using machine = await Machine.powerOn(await options("slow", { silenceMs: 60_000, bootMs: 500 }));
    const failure = await failureOf(machine.ready());
    expect(failure.seen).toMatch(/^the boot is slow, not stuck: after 0\.5 s/u);
    expect(failure.details.some((line) => line.startsWith("console: "))).toBe(true);
  });

  test("failed: the initramfs gives up, and its last words are quoted", async () => {
    const damaged = await options("damaged", ample);
    await writeFile(damaged.machineFiles, Buffer.alloc(4096, "no archive"));
    await using machine = await Machine.powerOn(damaged);
    const failure = await failureOf(machine.ready());
    expect(failure.seen).toMatch(/^the boot failed at stage "initramfs": fwlab: boot failed: the machine's files on \/dev\/vdb do not unpack$/u);
    expect(failure.details.join("\n")).toContain("console: fwlab: boot failed");
  });

  test("QEMU does not start, and its own words are quoted", async () => {
    const absent = await options("absent", ample);
    const failure = await failureOf(Machine.powerOn({ ...absent, boot: { ...absent.boot, root: join(folder, "absent.squashfs") } }));
    expect(failure.tried).toBe("start QEMU for client");
    expect(failure.seen).toMatch(/absent\.squashfs.*No such file or directory/u);
  });
});
