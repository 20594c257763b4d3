import { join } from "node:path";
import { createBridges, removeBridges } from "../host/bridges.ts";
import type { LabKeys } from "../image/keys.ts";
import { machineTree, type TreeEntry } from "../machine/configTree.ts";
import { Machine } from "../machine/machine.ts";
import { labFiles, writeMachineFiles } from "../machine/machineFiles.ts";
import type { Accelerator, BootFiles } from "../machine/qemuArguments.ts";
import type { Progress } from "../progress/progress.ts";
import { machineSpec, type MachineSpec, type Topology } from "../topology/topology.ts";

export interface LabOptions {
  readonly topology: Topology;
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
  readonly signal?: AbortSignal;
}

/** One running topology: bridges, taps, machines, in the network namespace of this process. */
export class Lab implements AsyncDisposable {
  readonly topology: Topology;
  readonly #options: LabOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #powerOns = new Map<string, number>();

  private constructor(options: LabOptions) {
    this.topology = options.topology;
    this.#options = options;
  }

  /** Makes the bridges and boots all machines side by side. @throws Failure of the first machine that does not boot; nothing is left then. */
  static async start(options: LabOptions): Promise<Lab> {
    options.signal?.throwIfAborted();
    const lab = new Lab(options);
    await createBridges(options.topology, options.signal);
    try {
      await Promise.all(options.topology.machines.map((spec) => lab.boot(spec.name)));
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** The machine called `name`, as it runs now. @throws RangeError when it was never switched on. */
  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new RangeError(`machine ${name} was never switched on in this lab`);
    return machine;
  }

  /** Switches a machine on, with pristine files, and waits until it has booted. @throws Failure when it does not. */
  async boot(name: string): Promise<Machine> {
    const { topology, trees, keys, folder, consoles, extraFiles, boot, accelerator, progress, signal } = this.#options;
    const spec = machineSpec(topology, name);
    const hostKey = keys.hostKeys[name];
    if (hostKey === undefined) throw new RangeError(`no host key was made for ${name}`);
    const machineKeys = {
      hostPrivateKey: hostKey.privateKey,
      hostPublicKeyLine: hostKey.publicKeyLine,
      clientPublicKeyLine: keys.clientPublicKeyLine,
    };
    const files = join(folder, `${name}.tar`);
    await writeMachineFiles(files, [...(await machineTree(trees, name)), ...labFiles(spec, machineKeys), ...extraFiles(spec)]);
    const powerOn = (this.#powerOns.get(name) ?? 0) + 1;
    this.#powerOns.set(name, powerOn);
    const machine = await Machine.powerOn({
      spec,
      accelerator,
      boot,
      machineFiles: files,
      console: join(consoles, powerOn === 1 ? `${name}.log` : `${name}-${powerOn}.log`),
      identity: { privateKey: keys.clientPrivateKey, hostPublicKeyLine: hostKey.publicKeyLine },
      progress,
      ...(signal && { signal }),
    });
    await this.#machines.get(name)?.[Symbol.asyncDispose]();
    this.#machines.set(name, machine);
    await machine.ready();
    return machine;
  }

  /** Ends all machines at once and takes the bridges away. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ends = await Promise.allSettled([...this.#machines.values()].map((machine) => machine[Symbol.asyncDispose]()));
    await removeBridges(this.topology);
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

