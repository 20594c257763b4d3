import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { labFolder } from "../../lab/host/labFolder.ts";
import { silentProgress } from "../../lab/progress/progress.ts";
import { savedFiles } from "../../lab/run/labSnapshot.ts";
import { prepare, type Prepared } from "../../lab/run/prepare.ts";
import { startLab, type Begun } from "../../lab/run/startLab.ts";
import { checksFile } from "../../lab/snapshot/checks.ts";
import { manifestFile, readManifest, sealSnapshot } from "../../lab/snapshot/manifest.ts";
import { snapshotsFolder, SnapshotStore } from "../../lab/snapshot/store.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import type { PairTopology } from "../../lab/topology/topology.ts";

/** A firewall: endpoints run an agent too, and take longer to start. */
const machine = primaryBackup.active;
const topology: PairTopology = { ...primaryBackup, machines: primaryBackup.machines.filter(({ name }) => name === machine) };

/** How a start went: how the lab began, the lines that were told, and what its machine answered. */
export interface Start {
  readonly begun: Begun;
  readonly notes: readonly string[];
  readonly answered: string;
}

/** Starts labs of one machine, whose snapshots are in a store of its own. */
export class OneMachine implements AsyncDisposable {
  readonly store: SnapshotStore;
  readonly #folder: string;
  readonly #prepared: Prepared;
  readonly #signal: AbortSignal;

  private constructor(folder: string, prepared: Prepared, signal: AbortSignal) {
    this.#folder = folder;
    this.#prepared = prepared;
    this.#signal = signal;
    this.store = new SnapshotStore({ folder: snapshotsFolder(folder), limitBytes: Number.MAX_SAFE_INTEGER });
  }

  /** An empty store, in the lab's own folder. @throws Failure when host or image do not allow a lab. */
  static async prepare(signal: AbortSignal): Promise<OneMachine> {
    const prepared = await prepare({ topology, accelerator: "auto", progress: silentProgress, signal });
    return new OneMachine(await mkdtemp(join(labFolder(), "one-machine-")), prepared, signal);
  }

  /** Starts a lab as a run does, asks its machine something, and ends it. @throws Failure when the lab does not come up. */
  async start(store = this.store): Promise<Start> {
    const notes: string[] = [];
    const { lab, begun } = await startLab({
      topology,
      trees: [],
      prepared: this.#prepared,
      keptIn: await mkdtemp(join(this.#folder, "kept-")),
      progress: { ...silentProgress, note: (line) => notes.push(line) },
      signal: this.#signal,
      cold: false,
      writes: "private",
      store,
    });
    await using running = lab;
    const answered = await running.machine(machine).shell.must("cat /etc/hostname");
    return { begun, notes, answered: answered.trim() };
  }

  /** The snapshot that is in the store. @throws Error when there is none. */
  async snapshot(): Promise<SavedMachine> {
    const [entry] = await this.store.list(this.#signal);
    if (entry === undefined) throw new Error("no snapshot is in the store");
    return new SavedMachine(entry.key, join(snapshotsFolder(this.#folder), entry.key), join(this.#folder, "untouched"), this.#signal);
  }

  /** Removes all that was saved. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** The files of a saved lab of one machine, to be harmed. */
export class SavedMachine {
  readonly key: string;
  readonly folder: string;
  readonly #copy: string;
  readonly #signal: AbortSignal;

  constructor(key: string, folder: string, copy: string, signal: AbortSignal) {
    this.key = key;
    this.folder = folder;
    this.#copy = copy;
    this.#signal = signal;
  }

  get memory(): string {
    return savedFiles(this.folder, machine).memory;
  }

  get state(): string {
    return savedFiles(this.folder, machine).state;
  }

  /** Keeps the snapshot as it is. */
  async keep(): Promise<void> {
    await copyFolder(this.folder, this.#copy);
  }

  /** Makes the snapshot what it was when it was kept. */
  async mend(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await copyFolder(this.#copy, this.folder);
  }

  /** Replaces some bytes of the state, as another QEMU would have written it, and makes the manifest right for it. */
  async rewriteState(before: string, after: string): Promise<void> {
    const state = await readFile(this.state);
    const position = state.indexOf(before);
    if (position === -1 || before.length !== after.length) throw new Error(`${before} cannot be made ${after} in the state`);
    state.write(after, position, "latin1");
    await writeFile(this.state, state);
    await this.seal();
  }

  /** Makes the manifest right for the files as they are. */
  async seal(): Promise<void> {
    const manifest = await readManifest(this.folder);
    if (typeof manifest === "string") throw new Error(manifest);
    await rm(join(this.folder, manifestFile));
    await rm(join(this.folder, checksFile), { force: true });
    await sealSnapshot(this.folder, manifest.parts, this.#signal);
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await execa("cp", ["--archive", "--sparse=always", from, to]);
}
