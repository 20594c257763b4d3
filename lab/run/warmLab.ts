import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { messageOf } from "../failure/failure.ts";
import { idleFiles, labFiles, packedFiles } from "../machine/machineFiles.ts";
import { qemuArguments, type MemoryFile } from "../machine/qemuArguments.ts";
import { snapshotKey, type SnapshotParts } from "../snapshot/parts.ts";
import type { SnapshotStore } from "../snapshot/store.ts";
import { managementAddressOf } from "../topology/topology.ts";
import { AgentClient } from "../traffic/agentClient.ts";
import { agentPort } from "../traffic/protocol.ts";
import { Lab, type LabOptions } from "./lab.ts";
import { readSnapshot } from "./labSnapshot.ts";
import type { Prepared } from "./prepare.ts";

export interface WarmLabOptions {
  readonly lab: LabOptions;
  readonly prepared: Prepared;
  readonly store: SnapshotStore;
  /** Whether the lab is to be saved again. */
  readonly writes: MemoryFile["writes"];
  readonly signal: AbortSignal;
}

/**
 * Restores the idle machines of a topology from the cache, where they are put on first use. Undefined when that is not to be had, which is told
 * in one line: then the machines have to be booted. @throws the signal's reason.
 */
export async function restoreIdle({ lab: options, prepared, store, writes, signal }: WarmLabOptions): Promise<Lab | undefined> {
  const { progress } = options;
  const parts = await partsOf(options, prepared);
  const key = snapshotKey(parts);
  try {
    const found = await store.find(key, signal);
    if (found.state === "damaged") throw new Error(found.why);
    const folder = found.state === "whole" ? found.folder : await store.store(parts, (empty) => saveIdle(options, empty, signal), { progress, signal });
    const lab = await Lab.restore(options, await readSnapshot(folder), writes);
    try {
      await Promise.all(lab.topology.machines.map(({ name }) => lab.machine(name).shell.must("true", { signal })));
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    signal.throwIfAborted();
    progress.note(`warm lab: snapshot ${key} cannot be used, and is discarded (${messageOf(error)}); booting the machines instead`);
    await store.discard(key);
    return undefined;
  }
}

/** Boots the machines without a config tree and saves them when all can be controlled. */
async function saveIdle(options: LabOptions, folder: string, signal: AbortSignal): Promise<void> {
  using step = options.progress.step("boot idle machines, and save them for this and later runs");
  await using lab = await Lab.startIdle(options);
  await Promise.all(
    options.topology.machines.map(async (spec) => {
      await lab.machine(spec.name).shell.must("true", { signal });
      if (spec.role !== "endpoint") return;
      await using agent = await AgentClient.connect({ name: spec.name, address: managementAddressOf(spec), port: agentPort }, { signal });
      await agent.request("now", {}, { signal });
    }),
  );
  await lab.save(folder);
  step.done();
}

/** What the idle machines depend on. Paths of files are no part of it: their contents are. */
async function partsOf({ topology, keys, accelerator, extraFiles }: LabOptions, { image, qemuVersion }: Prepared): Promise<SnapshotParts> {
  const files = createHash("sha256");
  const boot = { kernel: "kernel", initrd: "initrd", root: "root" };
  const allArguments: string[] = [];
  for (const spec of topology.machines) {
    const hostKey = keys.hostKeys[spec.name];
    const machineKeys = { hostPrivateKey: hostKey?.privateKey ?? "", hostPublicKeyLine: hostKey?.publicKeyLine ?? "", clientPublicKeyLine: keys.clientPublicKeyLine };
    files.update(await packedFiles([...idleFiles(), ...labFiles(spec, machineKeys), ...extraFiles(spec)]));
    allArguments.push(...qemuArguments({ spec, accelerator, boot, machineFiles: "files", console: "console", memory: { path: "memory", writes: "private" } }));
  }
  return {
    image: image.id,
    qemu: qemuVersion,
    accelerator,
    // A saved machine goes on with the processor that it found, and with its clock rate.
    processor: cpus()[0]?.model ?? "unknown",
    topology: `${topology.name} ${shortHash(JSON.stringify(topology))}`,
    arguments: shortHash(allArguments.join("\0")),
    files: files.digest("hex").slice(0, 16),
  };
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
