import { setTimeout as delay } from "node:timers/promises";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Machine } from "../machine/machine.ts";
import { endInWords } from "../machine/processEnd.ts";
import type { MemoryFile } from "../machine/qemuArguments.ts";
import type { SnapshotState } from "../snapshot/inspect.ts";
import { snapshotKey, type SnapshotParts } from "../snapshot/parts.ts";
import type { SnapshotStore } from "../snapshot/store.ts";
import { isPair, managementAddressOf } from "../topology/topology.ts";
import { AgentClient } from "../traffic/agentClient.ts";
import { agentPort } from "../traffic/protocol.ts";
import { Lab } from "./lab.ts";
import type { LabOptions } from "./labOptions.ts";
import { readSnapshot, type LabSnapshot } from "./labSnapshot.ts";
import type { Prepared } from "./prepare.ts";
import { idleParts, laidParts } from "./snapshotParts.ts";

export interface WarmLabOptions {
  readonly lab: LabOptions;
  readonly prepared: Prepared;
  readonly store: SnapshotStore;
  /** Whether the lab is to be saved again. */
  readonly writes: MemoryFile["writes"];
  /** Whether a lab on which the trees had to be laid is saved for later. */
  readonly keepsLaid: boolean;
  /** Lets a lab on which trees were laid come to rest before it is saved. */
  readonly rest?: (lab: Lab) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A lab from the store, with its config trees, and how long that took by parts, in milliseconds. */
export interface WarmLab {
  readonly lab: Lab;
  readonly durations: Readonly<Record<string, number>>;
}

/** A machine that goes on where it was answers within a second or two, emulated; one that is silent for this long never will. */
const answersWithinMs = 20_000;

/**
 * A lab with its config trees, restored: as it was saved with these very trees, or idle machines on which the trees are laid now; what has to be
 * made first is saved for later. Undefined when no snapshot is to be had, which is told in one line: then the machines have to be booted.
 * @throws Failure when the config trees do not come up; the signal's reason.
 */
export async function restoreWarm(options: WarmLabOptions): Promise<WarmLab | undefined> {
  const { lab: labOptions, prepared, store, writes, keepsLaid, rest, signal } = options;
  const parts = await laidParts(labOptions, prepared);
  const begin = performance.now();
  const since = (startMs: number): number => Math.round(performance.now() - startMs);
  const found = await store.find(snapshotKey(parts), signal);
  if (found.state !== "missing") {
    const restored = await restoreFound(options, parts, found, (lab) => lab.setClocks());
    return restored && { lab: restored, durations: { restoreMs: since(begin) } };
  }
  const lab = await restoreIdle({ ...options, writes: keepsLaid ? "kept" : writes });
  if (lab === undefined) return undefined;
  try {
    const restoreMs = since(begin);
    const layBegin = performance.now();
    await lab.lay();
    const layMs = since(layBegin);
    if (!keepsLaid) return { lab, durations: { restoreMs, layMs } };
    await rest?.(lab);
    const restMs = since(layBegin) - layMs;
    await keep(options, parts, lab);
    return { lab, durations: { restoreMs, layMs, restMs, saveMs: since(layBegin) - layMs - restMs } };
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * The idle machines of a topology, restored; made on first use. `Lab.lay` lays the config trees on them, and tells them what time it is. Undefined as of `restoreWarm`.
 * @throws the signal's reason.
 */
export async function restoreIdle(options: WarmLabOptions): Promise<Lab | undefined> {
  const { lab, prepared, store, signal } = options;
  const parts = await idleParts(lab, prepared);
  const key = snapshotKey(parts);
  const found = await store.find(key, signal);
  if (found.state !== "missing") return restoreFound(options, parts, found);
  let folder: string;
  try {
    folder = await store.store(parts, (empty) => saveIdle(wholeLab(lab), empty, signal), { progress: lab.progress, signal });
  } catch (error) {
    signal.throwIfAborted();
    lab.progress.note(`warm lab: snapshot ${key} cannot be made (${causeOf(error)}); booting the machines instead`);
    return undefined;
  }
  return restoreFound(options, parts, { folder });
}

/** The idle machines of a topology where they are saved; they are not made for it. @throws the signal's reason. */
export async function savedIdle({ lab, prepared, store, signal }: Pick<WarmLabOptions, "lab" | "prepared" | "store" | "signal">): Promise<LabSnapshot | undefined> {
  const found = await store.find(snapshotKey(await idleParts(lab, prepared)), signal);
  return found.state === "whole" ? readSnapshot(found.folder) : undefined;
}

/** Restores a snapshot and sees that its machines answer; one that cannot be used is told in one line, and discarded. */
async function restoreFound(
  { lab: options, store, writes, signal }: WarmLabOptions,
  parts: SnapshotParts,
  found: Exclude<SnapshotState, { state: "missing" }> | { readonly folder: string },
  begin: (lab: Lab) => Promise<void> = () => Promise.resolve(),
): Promise<Lab | undefined> {
  try {
    if (!("folder" in found)) throw new Error(found.why);
    const lab = await Lab.restore(options, await readSnapshot(found.folder), writes);
    try {
      await Promise.all(lab.names.map((name) => goesOn(lab.machine(name), signal)));
      await begin(lab);
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    signal.throwIfAborted();
    const key = snapshotKey(parts);
    options.progress.note(`warm lab: snapshot ${key} cannot be restored, and is discarded (${causeOf(error)}); booting the machines instead`);
    await store.discard(key);
    return undefined;
  }
}

/** What went wrong, without what the reader is to do about it: that is done here. */
function causeOf(error: unknown): string {
  return error instanceof Failure ? `${error.tried}: ${error.seen}` : messageOf(error);
}

/** Waits until a restored machine runs a command. @throws Failure when it ended or is silent; the signal's reason. */
async function goesOn(machine: Machine, signal: AbortSignal): Promise<void> {
  const failure = (seen: string): Failure =>
    new Failure({ tried: `go on with ${machine.name}`, seen, remedy: "What was saved is not what runs here: it has to be saved anew", exit: exitCode.invalid });
  const over = new AbortController();
  const answered = machine.shell.must("true", { signal: AbortSignal.any([signal, over.signal]) });
  const ended = machine.ended.then((end) => {
    throw failure(`QEMU ended (${endInWords(end)})`);
  });
  const silent = delay(answersWithinMs, undefined, { signal: over.signal }).then(() => {
    throw failure(`no answer within ${answersWithinMs / 1000} s`);
  });
  try {
    await Promise.race([answered, ended, silent]);
  } finally {
    over.abort();
  }
}

/** What is saved has all machines, so that it serves everyone. */
function wholeLab(options: LabOptions): LabOptions {
  return { ...options, machines: options.topology.machines.map(({ name }) => name) };
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
      // It takes an emulated machine a second or two, and is then in its memory.
      if (isPair(options.topology) && spec.name === options.topology.client) await agent.request("loadSsh", {}, { signal });
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
    progress.note(`warm lab: the lab with its config tree cannot be kept for later runs (${causeOf(error)})`);
  }
  await lab.resume();
}
