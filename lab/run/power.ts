import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { machineTree } from "../machine/configTree.ts";
import { Machine, type MachineOptions } from "../machine/machine.ts";
import { idleFiles, writeMachineFiles } from "../machine/machineFiles.ts";
import type { MemoryFile } from "../machine/qemuArguments.ts";
import { machineSpec } from "../topology/topology.ts";
import { hostKeyOf, labsOwnFiles, type LabOptions } from "./labOptions.ts";
import { savedFiles, type LabSnapshot } from "./labSnapshot.ts";

/** What a machine starts from: power, with its config tree; power, idle and without a tree; or a saved machine. */
export type Beginning = "with its tree" | "idle" | { readonly saved: LabSnapshot; readonly memory: MemoryFile };

/** Switches a lab's machines on and off, and keeps the files of their memory. */
export class Power implements AsyncDisposable {
  readonly #options: LabOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #powerOns = new Map<string, number>();
  /** Memory files that go with the lab. */
  readonly #ownMemory = new Map<string, string>();
  readonly #starting = new Set<Promise<Machine>>();
  #disposed = false;

  constructor(options: LabOptions) {
    this.#options = options;
  }

  /** All machines that were ever switched on, as they run now. */
  get machines(): Machine[] {
    return [...this.#machines.values()];
  }

  /** The machine called `name`, as it runs now. @throws RangeError when it was never switched on. */
  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new RangeError(`machine ${name} was never switched on in this lab`);
    return machine;
  }

  /** How often a machine was switched on. */
  powerOns(name: string): number {
    return this.#powerOns.get(name) ?? 0;
  }

  /**
   * Switches a machine on; one of its name that runs is ended. A lab that is given up meanwhile has to wait for it: else its QEMU would be nobody's, and
   * hold its taps. @throws Failure when it does not start; RangeError when the lab is over.
   */
  async on(name: string, beginning: Beginning): Promise<Machine> {
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
    const { topology, trees, keys, consoles, boot, desktops, accelerator, progress, patience, signal } = this.#options;
    const powerOn = this.powerOns(name) + 1;
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
    const graphics = desktops?.consoles.get(name);
    const options: MachineOptions = {
      spec,
      accelerator,
      boot: graphics === undefined ? boot : (desktops?.boot ?? boot),
      ...(graphics && { graphics }),
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

  /** The memory of a saved machine, for writes of this kind: a copy, where they are kept. @throws ExecaError with cp's complaint. */
  async memoryOf(saved: LabSnapshot, name: string, writes: MemoryFile["writes"]): Promise<MemoryFile> {
    const { memory } = savedFiles(saved.folder, name);
    if (writes === "private") return { path: memory, writes };
    const path = await this.#freshMemory(name);
    await copySparsely(memory, path);
    return { path, writes };
  }

  /**
   * Saves a machine that is paused. Disk: what its memory holds beside zeros.
   * @throws Failure when it cannot be; RangeError when it was restored with private writes; ExecaError with cp's complaint.
   */
  async save(machine: Machine, folder: string): Promise<void> {
    const { memory, state, files } = savedFiles(folder, machine.name);
    const own = this.#ownMemory.get(machine.name);
    if (own === undefined) throw new RangeError(`${machine.name} was restored with private writes: its memory is in no file that could be saved`);
    await machine.saveState(state);
    await copySparsely(own, memory);
    await copySparsely(this.#filesPath(machine.name), files);
  }

  #filesPath(name: string): string {
    return join(this.#options.folder, `${name}.tar`);
  }

  /** A memory file of the machine's own, which QEMU makes when it is not there. */
  async #freshMemory(name: string): Promise<string> {
    const path = join(this.#options.folder, `${name}.memory`);
    await rm(path, { force: true });
    this.#ownMemory.set(name, path);
    return path;
  }

  /** Ends all machines at once. @throws the first error of one that does not end, when all have been tried. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.allSettled([...this.#starting]);
    const ends = await Promise.allSettled(this.machines.map((machine) => machine[Symbol.asyncDispose]()));
    await Promise.all([...this.#ownMemory.values()].map((path) => rm(path, { force: true })));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

/** Copies a file, and leaves holes where it has zeros. @throws ExecaError with cp's complaint. */
async function copySparsely(from: string, to: string): Promise<void> {
  await execa("cp", ["--sparse=always", "--reflink=auto", from, to]);
}
