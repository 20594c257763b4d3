import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { messageOf } from "../failure/failure.ts";
import { createBridges, learnedAddresses, removeBridges, teachBridges } from "../host/bridges.ts";
import type { LabKeys } from "../image/keys.ts";
import { machineTree, type TreeEntry } from "../machine/configTree.ts";
import { laying, layTree, setClock, startTree, unpackTree, type Laying } from "../machine/layTree.ts";
import { Machine, type BootPatience, type MachineOptions } from "../machine/machine.ts";
import { idleFiles, labFiles, writeMachineFiles } from "../machine/machineFiles.ts";
import type { Accelerator, BootFiles, MemoryFile } from "../machine/qemuArguments.ts";
import type { Progress } from "../progress/progress.ts";
import { machineSpec, tapName, type MachineSpec, type Topology } from "../topology/topology.ts";
import { notStarted } from "./notStarted.ts";
import { savedFiles, writeSnapshotRecord, type LabSnapshot } from "./labSnapshot.ts";

export interface LabOptions {
  readonly topology: Topology;
  /** The machines that are switched on, of the topology's; all of them by default. */
  readonly machines?: readonly string[];
  /** Config trees, lowest first: the system under test, and what is laid over it. */
  readonly trees: readonly string[];
  readonly boot: BootFiles;
  readonly keys: LabKeys;
  readonly accelerator: Accelerator;
  /** Folder for the lab's temporary files. */
  readonly folder: string;
  /** Folder for the consoles' output; kept. */
  readonly consoles: string;
  /** More files for a machine, beside the config trees' and the lab's own. */
  readonly extraFiles: (spec: MachineSpec) => readonly TreeEntry[];
  readonly progress: Progress;
  /** How long machines may take, instead of what is usual with the accelerator. */
  readonly patience?: BootPatience;
  /** The idle machines, saved, where a machine that is switched on again may be restored instead of booted; undefined when there are none to be had. */
  readonly savedIdle?: () => Promise<LabSnapshot | undefined>;
  readonly signal?: AbortSignal;
}

/** What a machine starts from: power, with its config tree; power, idle and without a tree; or a saved machine. */
type Beginning = "with its tree" | "idle" | { readonly saved: LabSnapshot; readonly memory: MemoryFile };

/** What a machine does until it is ready, in words. */
type Activity = "boot" | "start what the config tree says";

/** A machine whose time stands still when its files are there and nothing of them has run, and what is left to be done then. */
interface HalfBooted {
  readonly machine: Machine;
  /** What starts an idle machine's config tree; a boot goes on by itself. */
  readonly start?: Laying;
}

/** One running topology: bridges, taps, machines, in the network namespace of this process. */
export class Lab implements AsyncDisposable {
  readonly topology: Topology;
  readonly #options: LabOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #powerOns = new Map<string, number>();
  /** Memory files that go with the lab. */
  readonly #ownMemory = new Map<string, string>();
  readonly #starting = new Set<Promise<Machine>>();
  /** Machines that come up. */
  readonly #comingUp = new Set<string>();
  /** Machines that were switched on again, and go no further until they are told to. */
  readonly #halfBooted = new Map<string, Promise<HalfBooted>>();
  #disposed = false;

  private constructor(options: LabOptions) {
    this.topology = options.topology;
    this.#options = options;
  }

  /** Makes the bridges and boots all machines side by side. @throws Failure of the first machine that does not boot; nothing is left then. */
  static start(options: LabOptions): Promise<Lab> {
    return Lab.#begun(options, async (lab) => {
      await Promise.all(lab.names.map((name) => lab.boot(name)));
    });
  }

  /** As `start`, but the machines have no config tree and wait for one: see `lay`. */
  static startIdle(options: LabOptions): Promise<Lab> {
    return Lab.#begun(options, async (lab) => {
      await Promise.all(lab.names.map(async (name) => (await lab.#switchOn(name, "idle")).ready()));
    });
  }

  /**
   * Brings a saved lab back: machines, taps, and what the bridges had learned. Time goes on for all machines at once. With `machines`, only those of
   * the saved ones.
   * @param writes "kept" makes a lab that can be saved again, and copies the memory for it; "private" is quicker.
   * @throws Failure when a machine cannot be restored; nothing is left then.
   */
  static restore(options: LabOptions, saved: LabSnapshot, writes: MemoryFile["writes"] = "private"): Promise<Lab> {
    return Lab.#begun(options, async (lab) => {
      await Promise.all(
        lab.names.map(async (name) => {
          const { memory } = savedFiles(saved.folder, name);
          const own = writes === "private" ? memory : await lab.#copied(memory, name);
          await lab.#switchOn(name, { saved, memory: { path: own, writes } });
        }),
      );
      // A tap that nobody has opened takes no entry.
      const closed = new Set(options.topology.machines.filter(({ name }) => !lab.names.includes(name)).flatMap((spec) => spec.nics.map((nic) => tapName(spec, nic))));
      await teachBridges(saved.learned.filter(({ tap }) => !closed.has(tap)), options.signal);
      await lab.resume();
    });
  }

  static async #begun(options: LabOptions, begin: (lab: Lab) => Promise<void>): Promise<Lab> {
    options.signal?.throwIfAborted();
    const lab = new Lab(options);
    await createBridges(options.topology, options.signal);
    try {
      await begin(lab);
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** Names of the machines that this lab has. */
  get names(): string[] {
    const all = this.topology.machines.map(({ name }) => name);
    const { machines } = this.#options;
    return machines === undefined ? all : all.filter((name) => machines.includes(name));
  }

  /** The machine called `name`, as it runs now. @throws RangeError when it was never switched on. */
  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new RangeError(`machine ${name} was never switched on in this lab`);
    return machine;
  }

  /** How often a machine was switched on in this lab: each time it has other clocks. */
  powerOns(name: string): number {
    return this.#powerOns.get(name) ?? 0;
  }

  /** Whether a machine is on, and has booted. */
  isUp(name: string): boolean {
    return this.machine(name).isOn && !this.#comingUp.has(name);
  }

  /** Switches a machine on, with pristine files, and waits until it has booted. @throws Failure when it does not. */
  boot(name: string): Promise<Machine> {
    this.#comingUp.add(name);
    return this.#up(name, this.#switchOn(name, "with its tree"), "boot");
  }

  /**
   * Switches a machine on and stops its time when its files are there: nothing of the config tree has run. So most of its start is done while others
   * are looked at; `goOn` does the rest. Where idle machines are saved it is one of them, which has been given its files; else it boots.
   * Once it was called, it gives the same machine again. @throws Failure when it does not come so far.
   */
  async halfBoot(name: string): Promise<Machine> {
    return (await this.#halfBoot(name)).machine;
  }

  #halfBoot(name: string): Promise<HalfBooted> {
    this.#comingUp.add(name);
    const half = this.#halfBooted.get(name) ?? this.#beginAgain(name);
    this.#halfBooted.set(name, half);
    return half;
  }

  async #beginAgain(name: string): Promise<HalfBooted> {
    const restored = await this.#restoredIdle(name);
    if (restored !== undefined) return restored;
    const machine = await this.#switchOn(name, "with its tree");
    await machine.filesMounted();
    await machine.pause();
    return { machine };
  }

  /** An idle machine that has its files, and whose time stands still. Undefined when there is none, or it cannot be restored, which is told. */
  async #restoredIdle(name: string): Promise<HalfBooted | undefined> {
    const { savedIdle, signal, progress } = this.#options;
    const saved = await savedIdle?.();
    if (saved === undefined) return undefined;
    try {
      const machine = await this.#switchOn(name, { saved, memory: { path: savedFiles(saved.folder, name).memory, writes: "private" } });
      await machine.resume();
      const start = await this.#layingOn(machine);
      await unpackTree(machine.shell, start, signal);
      await machine.pause();
      return { machine, start };
    } catch (error) {
      signal?.throwIfAborted();
      progress.note(`${name} cannot be restored, and boots instead (${messageOf(error)})`);
      return undefined;
    }
  }

  /** The rest of what `halfBoot` began, or all of it. @throws Failure when the machine does not come up. */
  async goOn(name: string): Promise<Machine> {
    const { machine, start } = await this.#halfBoot(name);
    await machine.resume();
    if (start === undefined) return this.#up(name, machine, "boot");
    await startTree(machine.shell, start, this.#options.signal);
    return this.#up(name, machine, "start what the config tree says");
  }

  async #up(name: string, starting: Promise<Machine> | Machine, activity: Activity): Promise<Machine> {
    const machine = await starting;
    await this.#started(machine, activity);
    this.#halfBooted.delete(name);
    this.#comingUp.delete(name);
    return machine;
  }

  /** @throws NotStarted when the machine answers but a unit does not come to its end; Failure when it does not answer either. */
  async #started(machine: Machine, activity: Activity): Promise<void> {
    const { signal } = this.#options;
    try {
      await machine.ready(activity);
    } catch (error) {
      signal?.throwIfAborted();
      throw await notStarted(machine, error, signal);
    }
  }

  /** Lays the config trees on idle machines, all side by side, and waits until all that they say has started. @throws Failure when one does not. */
  async lay(): Promise<void> {
    await Promise.all(
      this.names.map(async (name) => {
        const machine = this.machine(name);
        await layTree(machine.shell, await this.#layingOn(machine), this.#options.signal);
        await this.#started(machine, "start what the config tree says");
      }),
    );
  }

  /** Puts the config trees' files on idle machines, and starts nothing of them. @throws Failure when they do not unpack. */
  async unpack(): Promise<void> {
    await Promise.all(
      this.names.map(async (name) => {
        const machine = this.machine(name);
        await unpackTree(machine.shell, await this.#layingOn(machine), this.#options.signal);
      }),
    );
  }

  async #layingOn({ name, spec }: Machine): Promise<Laying> {
    return laying(await machineTree(this.#options.trees, name), labsOwnFiles(this.#options, spec));
  }

  /** Gives all machines the host's time of day, which stood still for them while they were saved. @throws Failure when one does not answer. */
  async setClocks(): Promise<void> {
    const { signal } = this.#options;
    await Promise.all(this.names.map((name) => setClock(this.machine(name).shell, signal)));
  }

  /** Stops the time of all machines. @throws Failure when one does not stop. */
  async pause(): Promise<void> {
    await Promise.all([...this.#machines.values()].map((machine) => machine.pause()));
  }

  /** Lets the time of all machines go on. @throws Failure when one does not. */
  async resume(): Promise<void> {
    await Promise.all([...this.#machines.values()].map((machine) => machine.resume()));
  }

  /**
   * Saves all machines, paused together, into a folder, and stays paused. Frames that are under way between them are in no machine, and are not
   * saved: whoever cannot lose one sends none. The host's SSH connections are given up before. Disk: what the machines' memory holds beside zeros.
   * @throws Failure when a machine cannot be saved, or was restored with private writes; I/O errors.
   */
  async save(folder: string): Promise<LabSnapshot> {
    const machines = [...this.#machines.values()];
    for (const { shell } of machines) shell.drop();
    await this.pause();
    await Promise.all(
      machines.map(async (machine) => {
        const { memory, state, files } = savedFiles(folder, machine.name);
        const own = this.#ownMemory.get(machine.name);
        if (own === undefined) throw new RangeError(`${machine.name} was restored with private writes: its memory is in no file that could be saved`);
        await machine.saveState(state);
        await copySparsely(own, memory);
        await copySparsely(this.#filesPath(machine.name), files);
      }),
    );
    const saved = { folder, topology: this.topology.name, machines: this.names, savedAtMs: Date.now(), learned: await learnedAddresses(this.topology) };
    await writeSnapshotRecord(saved);
    return saved;
  }

  #filesPath(name: string): string {
    return join(this.#options.folder, `${name}.tar`);
  }

  /** A lab that is given up while a machine starts has to wait for it: else its QEMU would be nobody's, and hold its taps. */
  async #switchOn(name: string, beginning: Beginning): Promise<Machine> {
    const starting = this.#begin(name, beginning);
    this.#starting.add(starting);
    try {
      const machine = await starting;
      this.#machines.set(name, machine);
      return machine;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #begin(name: string, beginning: Beginning): Promise<Machine> {
    if (this.#disposed) throw new RangeError(`${name} was to be switched on in a lab that is over`);
    const { topology, trees, keys, consoles, boot, accelerator, progress, patience, signal } = this.#options;
    const powerOn = (this.#powerOns.get(name) ?? 0) + 1;
    this.#powerOns.set(name, powerOn);
    await this.#machines.get(name)?.[Symbol.asyncDispose]();
    const spec = machineSpec(topology, name);
    const files = this.#filesPath(name);
    if (typeof beginning === "object") {
      await copySparsely(savedFiles(beginning.saved.folder, name).files, files);
    } else {
      const tree = beginning === "idle" ? idleFiles() : await machineTree(trees, name);
      await writeMachineFiles(files, [...tree, ...labsOwnFiles(this.#options, spec)]);
    }
    const options: MachineOptions = {
      spec,
      accelerator,
      boot,
      machineFiles: files,
      console: join(consoles, powerOn === 1 ? `${name}.log` : `${name}-${powerOn}.log`),
      memory: typeof beginning === "object" ? beginning.memory : { path: await this.#freshMemory(name), writes: "kept" },
      identity: { privateKey: keys.clientPrivateKey, hostPublicKeyLine: hostKeyOf(keys, name).publicKeyLine },
      progress,
      ...(patience && { patience }),
      ...(signal && { signal }),
    };
    return typeof beginning === "object" ? Machine.restore(options, savedFiles(beginning.saved.folder, name).state) : Machine.powerOn(options);
  }

  /** A memory file of the machine's own, which QEMU makes when it is not there. */
  async #freshMemory(name: string): Promise<string> {
    const path = join(this.#options.folder, `${name}.memory`);
    await rm(path, { force: true });
    this.#ownMemory.set(name, path);
    return path;
  }

  async #copied(memory: string, name: string): Promise<string> {
    const path = await this.#freshMemory(name);
    await copySparsely(memory, path);
    return path;
  }

  /** Ends all machines at once and takes the bridges away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.allSettled([...this.#starting]);
    const ends = await Promise.allSettled([...this.#machines.values()].map((machine) => machine[Symbol.asyncDispose]()));
    await removeBridges(this.topology);
    await Promise.all([...this.#ownMemory.values()].map((path) => rm(path, { force: true })));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

/** Copies a file, and leaves holes where it has zeros. @throws ExecaError with cp's complaint. */
async function copySparsely(from: string, to: string): Promise<void> {
  await execa("cp", ["--sparse=always", "--reflink=auto", from, to]);
}

/** The lab's own files on a machine, which no config tree replaces. @throws RangeError when no host key was made for it. */
export function labsOwnFiles({ keys, extraFiles }: Pick<LabOptions, "keys" | "extraFiles">, spec: MachineSpec): TreeEntry[] {
  const { privateKey, publicKeyLine } = hostKeyOf(keys, spec.name);
  const machineKeys = { hostPrivateKey: privateKey, hostPublicKeyLine: publicKeyLine, clientPublicKeyLine: keys.clientPublicKeyLine };
  return [...labFiles(spec, machineKeys), ...extraFiles(spec)];
}

function hostKeyOf({ hostKeys }: LabKeys, name: string): LabKeys["hostKeys"][string] {
  const hostKey = hostKeys[name];
  if (hostKey === undefined) throw new RangeError(`no host key was made for ${name}`);
  return hostKey;
}
