import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { ProcessInfo } from "./processes.ts";
import type { Traces } from "./traces.ts";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** How often a command is looked at, in milliseconds: short beside all that it does. */
const lookMs = 20;

/** What a command's end told. */
export interface CommandEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  /** Lines of standard error, without npm's own. */
  readonly stderr: readonly string[];
  readonly tookMs: number;
}

export interface CommandOptions {
  readonly traces: Traces;
  /** Environment variables besides those of the traces. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A command as a shell starts it: in a process group of its own, not on a terminal. */
export class Command {
  /** Settles when the command has ended and nothing holds its output any more. */
  readonly ended: Promise<CommandEnd>;
  readonly #process: ReturnType<typeof startProcess>;
  readonly #traces: Traces;
  #output = "";
  #hasEnded = false;

  constructor(commandLine: readonly [string, ...string[]], { traces, env = {} }: CommandOptions) {
    const began = performance.now();
    this.#traces = traces;
    this.#process = startProcess(commandLine, { ...traces.environment, ...env });
    this.#process.stdout.on("data", (data: Buffer) => {
      this.#output += data.toString("utf8");
    });
    this.ended = this.#process.then(({ exitCode, signal, stdout, stderr }) => {
      this.#hasEnded = true;
      const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("npm "));
      return { exitCode, signal, stdout, stderr: lines, tookMs: performance.now() - began };
    });
  }

  /** Process id of the command itself, and id of its process group. */
  get pid(): number {
    if (this.#process.pid === undefined) throw new Error("the command could not be started");
    return this.#process.pid;
  }

  /** What it has said so far on standard output. */
  get output(): string {
    return this.#output;
  }

  /** Looks until `reached` says so. Gives the command's processes at that moment. @throws Error when the command ends before. */
  async until(what: string, reached: (processes: readonly ProcessInfo[]) => boolean): Promise<ProcessInfo[]> {
    for (;;) {
      const processes = this.#traces.look();
      if (reached(processes)) return processes;
      if (this.#hasEnded) throw new Error(`the command ended before ${what}; it said:\n${this.#output}\n${(await this.ended).stderr.join("\n")}`);
      await delay(lookMs);
    }
  }

  /** Ends it with whatever it has started, when a test did not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#traces.look().forEach(({ pid }) => killIfThere(pid));
    await this.ended;
  }
}

function startProcess([program, ...args]: readonly [string, ...string[]], env: Readonly<Record<string, string | undefined>>) {
  return execa(program, args, { cwd: repository, env, detached: true, reject: false, stdin: "ignore" });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
  }
}
