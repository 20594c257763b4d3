import { messageOf } from "../failure/failure.ts";
import { createBridges, learnedAddresses, removeBridges, teachBridges } from "../host/bridges.ts";
import { startNatives, type RunningNative } from "../host/nativeHosts.ts";
import { machineTree } from "../machine/configTree.ts";
import { laying, layTree, readTree, setClock, startTree, unpackTree, type Laying } from "../machine/layTree.ts";
import type { Machine } from "../machine/machine.ts";
import type { MemoryFile } from "../machine/qemuArguments.ts";
import { tapName, type Topology } from "../topology/topology.ts";
import { labsOwnFiles, type LabOptions } from "./labOptions.ts";
import { writeSnapshotRecord, type LabSnapshot } from "./labSnapshot.ts";
import { notStarted } from "./notStarted.ts";
import { pauseInSilence } from "./pauseInSilence.ts";
import { Power } from "./power.ts";

/** What a machine does until it is ready, in words. */
type Activity = "boot" | "start what the config tree says";

/** A machine whose time stands still when its files are there and none of their units has started, and what is left to be done then. */
interface HalfBooted {
  readonly machine: Machine;
  /** What starts an idle machine's config tree; a boot goes on by itself. */
  readonly start?: Laying;
}

/** One running topology: bridges, taps, machines, native hosts, in the network namespace of this process. */
export class Lab implements AsyncDisposable {
  readonly topology: Topology;
  readonly #options: LabOptions;
  readonly #power: Power;
  #natives: readonly RunningNative[] = [];
  /** Machines that come up. */
  readonly #comingUp = new Set<string>();
  /** Machines that were switched on again, and go no further until they are told to. */
  readonly #halfBooted = new Map<string, Promise<HalfBooted>>();

  private constructor(options: LabOptions) {
    this.topology = options.topology;
    this.#options = options;
    this.#power = new Power(options);
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
      await Promise.all(lab.names.map(async (name) => (await lab.#power.on(name, "idle")).ready()));
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
          await lab.#power.on(name, { saved, memory: await lab.#power.memoryOf(saved, name, writes) });
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
      // Whoever wants some of the machines alone wants nobody to speak with them.
      if (options.machines === undefined) lab.#natives = await startNatives(options.topology, options.signal);
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
    return this.#power.machine(name);
  }

  /** The native host called `name`. @throws RangeError when this lab has none. */
  native(name: string): RunningNative {
    const native = this.#natives.find(({ host }) => host.name === name);
    if (native === undefined) throw new RangeError(`topology ${this.topology.name} has no native host ${name}; it has ${this.#natives.map(({ host }) => host.name).join(", ") || "none"}`);
    return native;
  }

  /** How often a machine was switched on in this lab: each time it has other clocks. */
  powerOns(name: string): number {
    return this.#power.powerOns(name);
  }

  /** Whether a machine is on, and has booted. */
  isUp(name: string): boolean {
    return this.machine(name).isOn && !this.#comingUp.has(name);
  }

  /** Switches a machine on, with pristine files, and waits until it has booted. @throws Failure when it does not. */
  boot(name: string): Promise<Machine> {
    this.#comingUp.add(name);
    return this.#up(name, this.#power.on(name, "with its tree"), "boot");
  }

  /**
   * Switches a machine on and stops its time when its files are there: no unit of the config tree has started. So most of its start is done while others
   * are looked at; `goOn` does the rest. Where idle machines are saved it is one of them, which has been given its files, and whose systemd has read them; else it boots.
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
    const machine = await this.#power.on(name, "with its tree");
    await machine.filesMounted();
    await machine.pause();
    return { machine };
  }

  /** An idle machine that has read its files, and whose time stands still. Undefined when there is none, or it cannot be restored, which is told. */
  async #restoredIdle(name: string): Promise<HalfBooted | undefined> {
    const { savedIdle, signal, progress } = this.#options;
    const saved = await savedIdle?.();
    if (saved === undefined) return undefined;
    try {
      const machine = await this.#power.on(name, { saved, memory: await this.#power.memoryOf(saved, name, "private") });
      await machine.resume();
      const start = await this.#layingOn(machine);
      await readTree(machine.shell, start, signal);
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

  /** Lets the time of all machines go on. @throws Failure when one does not. */
  async resume(): Promise<void> {
    await Promise.all(this.#power.machines.map((machine) => machine.resume()));
  }

  /**
   * Saves all machines, paused together while nothing is under way between them, into a folder, and stays paused. The host's SSH connections are given up
   * before. Disk: what the machines' memory holds beside zeros.
   * @throws Failure when a machine cannot be saved, or was restored with private writes; I/O errors.
   */
  async save(folder: string): Promise<LabSnapshot> {
    const { machines } = this.#power;
    for (const { shell } of machines) shell.drop();
    await pauseInSilence(machines, { hosts: [...this.topology.machines, ...this.#natives.map(({ host }) => host)], progress: this.#options.progress, signal: this.#options.signal });
    await Promise.all(machines.map((machine) => this.#power.save(machine, folder)));
    const saved = { folder, topology: this.topology.name, machines: this.names, savedAtMs: Date.now(), learned: await learnedAddresses(this.topology) };
    await writeSnapshotRecord(saved);
    return saved;
  }

  /** Ends all machines at once and takes the bridges away. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#power[Symbol.asyncDispose]();
      await Promise.all(this.#natives.map((native) => native[Symbol.asyncDispose]()));
    } finally {
      await removeBridges(this.topology);
    }
  }
}
