import { messageOf } from "../failure/failure.ts";
import { configHash } from "../machine/configTree.ts";
import { snapshotKey, type SnapshotParts } from "../snapshot/parts.ts";
import type { SnapshotStore } from "../snapshot/store.ts";
import { managementAddressOf } from "../topology/topology.ts";
import { AgentClient } from "../traffic/agentClient.ts";
import { agentPort } from "../traffic/protocol.ts";
import type { MemoryFile } from "../machine/qemuArguments.ts";
import { Lab, type LabOptions } from "./lab.ts";
import { readSnapshot } from "./labSnapshot.ts";
import type { Prepared } from "./prepare.ts";
import { idleParts, withTree } from "./snapshotParts.ts";

export interface WarmLabOptions {
  readonly lab: LabOptions;
  readonly prepared: Prepared;
  readonly store: SnapshotStore;
  /** Whether the lab is to be saved again. */
  readonly writes: MemoryFile["writes"];
  readonly signal: AbortSignal;
}

/** A lab from the cache, with its config trees, and how long that took by parts, in milliseconds. */
export interface WarmLab {
  readonly lab: Lab;
  readonly durations: Readonly<Record<string, number>>;
}

/**
 * A lab with its config trees, restored: as it was saved with these very trees, or idle machines on which the trees are laid now; what has to be
 * made first is saved for later. Undefined when no snapshot is to be had, which is told in one line: then the machines have to be booted.
 * @throws Failure when the config trees do not come up; the signal's reason.
 */
export async function restoreWarm(options: WarmLabOptions): Promise<WarmLab | undefined> {
  const { lab: labOptions, prepared, store, writes, signal } = options;
  const { topology, trees } = labOptions;
  const idle = await idleParts(labOptions, prepared);
  const tree = await configHash(
    trees,
    topology.machines.map(({ name }) => name),
  );
  const laid = withTree(idle, tree);
  const begin = performance.now();
  const since = (startMs: number): number => Math.round(performance.now() - startMs);
  if ((await store.find(snapshotKey(laid), signal)).state !== "missing") {
    const restored = await orNote(options, laid, async (folder) => Lab.restore(labOptions, await readSnapshot(folder), writes), notMade);
    return restored && { lab: restored, durations: { restoreMs: since(begin) } };
  }
  const lab = await orNote(options, idle, async (folder) => Lab.restore(labOptions, await readSnapshot(folder), "kept"), (folder) => saveIdle(labOptions, folder, signal));
  if (lab === undefined) return undefined;
  try {
    const restoreMs = since(begin);
    const layBegin = performance.now();
    await lab.lay();
    const layMs = since(layBegin);
    await keep(options, laid, lab);
    return { lab, durations: { restoreMs, layMs, saveMs: since(layBegin) - layMs } };
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

/** What the store is to be told when it is asked for a snapshot that was there a moment ago. */
function notMade(): Promise<never> {
  return Promise.reject(new Error("another process has removed it"));
}

/** Restores a snapshot, made first if need be, and sees that its machines answer; one that cannot be used is told in one line, and discarded. */
async function orNote(
  { lab: { progress }, store, signal }: WarmLabOptions,
  parts: SnapshotParts,
  restore: (folder: string) => Promise<Lab>,
  make: (folder: string) => Promise<void>,
): Promise<Lab | undefined> {
  const key = snapshotKey(parts);
  try {
    const found = await store.find(key, signal);
    if (found.state === "damaged") throw new Error(found.why);
    const lab = await restore(found.state === "whole" ? found.folder : await store.store(parts, make, { progress, signal }));
    try {
      await lab.setClocks();
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

/** Saves a lab on which trees were laid, and lets it go on. That it cannot be kept is told, and harms nobody but the next run. */
async function keep({ lab: { progress }, store, signal }: WarmLabOptions, parts: SnapshotParts, lab: Lab): Promise<void> {
  try {
    const save = async (folder: string): Promise<void> => {
      await lab.save(folder);
    };
    await store.store(parts, save, { progress, signal });
  } catch (error) {
    signal.throwIfAborted();
    progress.note(`warm lab: the lab with its config tree cannot be kept for later runs (${messageOf(error)})`);
  }
  await lab.resume();
}
