import { chmod, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";
import { managementAddressOf, type MachineSpec } from "../topology/topology.ts";
import { untilReady, usualPatience, type BootPatience } from "./bootWait.ts";
import { ConsoleFollower, type BootStage } from "./console.ts";
import { openConsole } from "./consoleKeys.ts";
import { loadDeviceState, runState, saveDeviceState } from "./deviceState.ts";
import type { GraphicalConsole } from "./graphicalConsole.ts";
import { endInWords, type ProcessEnd } from "./processEnd.ts";
import { Qmp } from "./qmp.ts";
import { incomingArguments, qemuArguments, qemuProgram, type Accelerator, type BootFiles, type MemoryFile } from "./qemuArguments.ts";
import { SshShell, type SshIdentity } from "./sshShell.ts";

export type { BootPatience } from "./bootWait.ts";

export interface MachineOptions {
  readonly spec: MachineSpec;
  readonly accelerator: Accelerator;
  readonly boot: BootFiles;
  /** Tar archive made by writeMachineFiles. */
  readonly machineFiles: string;
  /** File for the console's output; kept. */
  readonly console: string;
  readonly memory: MemoryFile;
  /** None unless given. */
  readonly graphics?: GraphicalConsole;
  readonly identity: SshIdentity;
  /** Instead of the accelerator's usual one. */
  readonly patience?: BootPatience;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** How a VM's process ended: what a power cut leaves behind as evidence. */
export interface MachineEnd extends ProcessEnd {
  readonly atMs: number;
}

/** Starts QEMU so that it dies with this process, in a session of its own: Ctrl-C at the terminal is for the runner alone. */
function startQemu(options: MachineOptions, more: readonly string[]) {
  return execa("setpriv", ["--pdeathsig", "KILL", qemuProgram, ...qemuArguments(options), ...more], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  });
}

type QemuProcess = ReturnType<typeof startQemu>;

/** One running VM. It exists from power on; `ready` tells when it has booted. */
export class Machine implements AsyncDisposable {
  readonly spec: MachineSpec;
  readonly shell: SshShell;
  readonly qmp: Qmp;
  /** Settles when the VM's process has ended, whoever ended it. */
  readonly ended: Promise<MachineEnd>;
  readonly #options: MachineOptions;
  readonly #process: QemuProcess;
  readonly #console: ConsoleFollower;
  readonly #stderr: string[];
  #end: MachineEnd | undefined;
  #consoleOpened: Promise<void> | undefined;

  private constructor(options: MachineOptions, process: QemuProcess, qmp: Qmp, stderr: string[], console: ConsoleFollower) {
    this.spec = options.spec;
    this.#options = options;
    this.#process = process;
    this.qmp = qmp;
    this.#stderr = stderr;
    this.#console = console;
    this.shell = new SshShell(options.spec.name, managementAddressOf(options.spec), options.identity);
    this.ended = process.then((result) => {
      this.#end = { atMs: Date.now(), signal: result.signal, exitCode: result.exitCode };
      this.shell.drop();
      return this.#end;
    });
  }

  get name(): string {
    return this.spec.name;
  }

  /** Process id of QEMU, in the lab's PID namespace. */
  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Most host memory that the VM has taken so far, in bytes (VmHWM of proc(5)). @throws when the VM has ended. */
  async peakMemoryBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
  }

  /** False once the VM's process has ended. */
  get isOn(): boolean {
    return this.#end === undefined;
  }

  /** All that the machine's console has said so far. */
  get consoleText(): string {
    return this.#console.text;
  }

  /** File that has all that the machine's console has said since it was switched on. */
  get consoleFile(): string {
    return this.#console.path;
  }

  /** Makes the console take keys by a socket at `path`, always the same one; once it does, nothing is done. @throws Failure when QEMU refuses. */
  async openConsole(path: string): Promise<void> {
    this.#consoleOpened ??= openConsole(this.qmp, this.consoleFile, path);
    await this.#consoleOpened;
  }

  /** Switches a machine on. @throws Failure when QEMU does not start, quoting its stderr. */
  static powerOn(options: MachineOptions): Promise<Machine> {
    return Machine.#start(options, []);
  }

  /**
   * Brings a saved machine back as it was, paused: `memory` is the file that it had, or a copy of it, and everything else the options it had.
   * @param state file that `saveState` wrote.
   * @throws Failure when QEMU does not start or does not take the state, quoting its stderr.
   */
  static async restore(options: MachineOptions, state: string): Promise<Machine> {
    const machine = await Machine.#start(options, incomingArguments);
    try {
      await loadDeviceState(machine.qmp, machine.name, state, options.signal);
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      options.signal?.throwIfAborted();
      throw new Failure({
        tried: `restore ${options.spec.name} from ${state}`,
        // QEMU's last line says that it failed; those before say why.
        seen: machine.#stderr.length > 0 ? machine.#stderr.join("; ") : messageOf(error),
        remedy: "The saved machine does not fit this QEMU, or its files are damaged: it has to be saved anew",
        exit: exitCode.invalid,
        details: machine.#stderr,
        cause: error,
      });
    }
  }

  static async #start(options: MachineOptions, more: readonly string[]): Promise<Machine> {
    const qemu = startQemu(options, more);
    const stderr: string[] = [];
    createInterface({ input: qemu.stderr }).on("line", (line) => {
      if (line.trim() !== "") stderr.push(line);
      stderr.splice(0, stderr.length - 20);
    });
    try {
      const qmp = await Qmp.connect(options.spec.name, qemu.stdout, qemu.stdin);
      // The server makes its socket with the permissions of a folder.
      if (options.graphics !== undefined) await chmod(options.graphics.socket, 0o600);
      return new Machine(options, qemu, qmp, stderr, new ConsoleFollower(options.console));
    } catch (error) {
      qemu.kill("SIGKILL");
      const result = await qemu;
      throw new Failure({
        tried: `start QEMU for ${options.spec.name}`,
        seen: stderr.at(-1) ?? `it ended with ${endInWords(result)} and no message`,
        remedy: "See QEMU's stderr below; --accel tcg does without KVM",
        exit: exitCode.invalid,
        details: stderr,
        cause: error,
      });
    }
  }

  /** Whether the machine's time goes on; false while it is paused. @throws Failure when QEMU does not answer. */
  async runs(): Promise<boolean> {
    return (await runState(this.qmp)) === "running";
  }

  /** Stops the machine's time. @throws Failure when QEMU does not. */
  async pause(): Promise<void> {
    await this.qmp.execute("stop");
  }

  /** Lets the machine's time go on. @throws Failure when QEMU does not. */
  async resume(): Promise<void> {
    await this.qmp.execute("cont");
  }

  /** Writes the state of a paused machine's devices to a file; its memory is in the memory file, where writes are kept. @throws Failure when it cannot. */
  async saveState(file: string): Promise<void> {
    await saveDeviceState(this.qmp, this.name, file, this.#options.signal);
  }

  /**
   * Waits until everything that is to start has started, and the console says so.
   * @param activity what goes on, for progress and messages.
   * @throws Failure when it is stuck, failed, slow beyond patience, or QEMU ended.
   */
  async ready(activity: "boot" | "start what the config tree says" = "boot"): Promise<void> {
    await this.#until("ready", activity);
  }

  /** Waits until the machine has its files and nothing of them has run yet: the kernel is up. @throws Failure as `ready`. */
  async filesMounted(): Promise<void> {
    await this.#until("root mounted", "boot as far as its files");
  }

  async #until(until: BootStage, activity: string): Promise<void> {
    const { progress, signal, accelerator, patience = usualPatience[accelerator] } = this.#options;
    await untilReady({
      machine: this.name,
      activity,
      until,
      accelerator,
      console: this.#console,
      end: () => this.#end,
      stderr: this.#stderr,
      patience,
      progress,
      ...(signal && { signal }),
    });
  }

  /** Ends the VM at once, as a power cut does. @returns how its process ended. @throws Failure when it outlives SIGKILL by 5 s. */
  async cutPower(): Promise<MachineEnd> {
    this.#process.kill("SIGKILL");
    const waiting = new AbortController();
    try {
      const end = await Promise.race([this.ended, delay(5_000, undefined, { signal: waiting.signal })]);
      if (end !== undefined) return end;
    } finally {
      waiting.abort();
    }
    throw new Failure({
      tried: `end QEMU of ${this.name} (pid ${this.pid})`,
      seen: "still there 5 s after SIGKILL",
      remedy: "The host's kernel holds it in an uninterruptible state: look at its stack in /proc",
      exit: exitCode.invalid,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isOn) await this.cutPower();
    try {
      await this.#console.poll();
    } catch (error) {
      this.#options.progress.note(`console of ${this.name} cannot be read to its end: ${messageOf(error)}`);
    }
    await this.#console[Symbol.asyncDispose]();
  }
}
