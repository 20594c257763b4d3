import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";
import { managementAddressOf, type MachineSpec } from "../topology/topology.ts";
import { bootStages, ConsoleFollower, fatalLine, lastLines, stageOf, type BootStage } from "./console.ts";
import { Qmp } from "./qmp.ts";
import { qemuArguments, qemuProgram, type Accelerator, type BootFiles } from "./qemuArguments.ts";
import { SshShell, type SshIdentity } from "./sshShell.ts";

export interface MachineOptions {
  readonly spec: MachineSpec;
  readonly accelerator: Accelerator;
  readonly boot: BootFiles;
  /** Tar archive made by writeMachineFiles. */
  readonly machineFiles: string;
  /** File for the console's output; kept. */
  readonly console: string;
  readonly identity: SshIdentity;
  /** Instead of the accelerator's usual one. */
  readonly patience?: BootPatience;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** How long a booting console may be silent before the boot counts as stuck, and how long a boot may take at all, in milliseconds. */
export interface BootPatience {
  readonly silenceMs: number;
  readonly bootMs: number;
}

const usualPatience: Readonly<Record<Accelerator, BootPatience>> = {
  kvm: { silenceMs: 30_000, bootMs: 120_000 },
  tcg: { silenceMs: 90_000, bootMs: 420_000 },
};

const quotedConsoleLines = 15;

/** How a VM's process ended: what a power cut leaves behind as evidence. */
export interface MachineEnd {
  readonly atMs: number;
  readonly signal: string | undefined;
  readonly exitCode: number | undefined;
}

/** Starts QEMU so that it dies with this process, in a session of its own: Ctrl-C at the terminal is for the runner alone. */
function startQemu(options: MachineOptions) {
  return execa("setpriv", ["--pdeathsig", "KILL", qemuProgram, ...qemuArguments(options)], {
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

  /** Switches a machine on. @throws Failure when QEMU does not start, quoting its stderr. */
  static async powerOn(options: MachineOptions): Promise<Machine> {
    const qemu = startQemu(options);
    const stderr: string[] = [];
    qemu.stderr.setEncoding("utf8");
    qemu.stderr.on("data", (text: string) => {
      stderr.push(...text.split("\n").filter((line) => line.trim() !== ""));
      stderr.splice(0, stderr.length - 20);
    });
    try {
      const qmp = await Qmp.connect(options.spec.name, qemu.stdout, qemu.stdin);
      return new Machine(options, qemu, qmp, stderr, new ConsoleFollower(options.console));
    } catch (error) {
      qemu.kill("SIGKILL");
      const result = await qemu;
      throw new Failure({
        tried: `start QEMU for ${options.spec.name}`,
        seen: stderr.at(-1) ?? `it ended with ${result.signal ?? `exit code ${result.exitCode ?? "unknown"}`} and no message`,
        remedy: "See QEMU's stderr below; --accel tcg does without KVM",
        exit: exitCode.invalid,
        details: stderr,
        cause: error,
      });
    }
  }

  /** Waits until everything that boots has booted. @throws Failure when the boot is stuck, failed, slow beyond patience, or QEMU ended. */
  async ready(): Promise<void> {
    const { progress, signal, accelerator, patience = usualPatience[accelerator] } = this.#options;
    const { silenceMs, bootMs } = patience;
    using step = progress.step("boot", this.name);
    const begin = performance.now();
    let lastSound = begin;
    let stage: BootStage = "power on";
    for (;;) {
      signal?.throwIfAborted();
      const grown = await this.#console.poll();
      const now = performance.now();
      if (grown > 0) {
        lastSound = now;
        stage = stageOf(this.consoleText);
        step.update(`${stage} (${bootStages.indexOf(stage) + 1}/${bootStages.length}): ${lastLines(this.consoleText, 1)[0] ?? ""}`.slice(0, 120));
      }
      if (stage === "ready") break;
      const fatal = fatalLine(this.consoleText);
      if (fatal !== undefined) throw this.#bootFailure(`the boot failed at stage "${stage}": ${fatal}`);
      if (this.#end !== undefined) {
        throw this.#bootFailure(`QEMU ended (${this.#end.signal ?? `exit code ${this.#end.exitCode ?? "unknown"}`}) at stage "${stage}"`);
      }
      if (now - lastSound > silenceMs) {
        throw this.#bootFailure(`the boot is stuck: its console has been silent for ${silenceMs / 1000} s at stage "${stage}"`);
      }
      if (now - begin > bootMs) {
        throw this.#bootFailure(`the boot is slow, not stuck: after ${bootMs / 1000} s it is at stage "${stage}" and its console still speaks`);
      }
      await delay(100, undefined, signal ? { signal } : {});
    }
    step.done();
  }

  #bootFailure(seen: string): Failure {
    return new Failure({
      tried: `boot ${this.name} (${this.#options.accelerator})`,
      seen,
      remedy: "See the console's last lines below; a slow host may need fewer other jobs",
      exit: exitCode.invalid,
      details: [
        ...lastLines(this.consoleText, quotedConsoleLines).map((line) => `console: ${line}`),
        ...this.#stderr.map((line) => `qemu: ${line}`),
      ],
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
