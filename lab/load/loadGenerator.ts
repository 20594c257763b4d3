import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { z } from "zod";
import { loadRecordSchema, type LoadRecord } from "../evidence/load.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { insideNative, type RunningNative } from "../host/nativeHosts.ts";
import { covers } from "../topology/address.ts";
import type { LoadOrder } from "./order.ts";

export interface LoadOptions {
  readonly clients: RunningNative;
  readonly servers: readonly RunningNative[];
  readonly order: LoadOrder;
  readonly signal: AbortSignal;
}

const serversWithinMs = 20_000;
const listeningSchema = z.object({ listens: z.number() });
/** Beyond the requests' own time, in milliseconds, for their record to be told. */
const recordWithinMs = 30_000;

/** A program of the load generator's that runs in a native host, and speaks line by line. */
class LoadProgram implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ReturnType<typeof started>;
  readonly #lines: AsyncIterator<string, undefined>;

  constructor(native: RunningNative, program: string, args: readonly string[]) {
    this.#name = `${program} on ${native.host.name}`;
    this.#process = started(native, program, args);
    const lines: Interface = createInterface({ input: this.#process.stdout });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  say(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** The next line that it tells. @throws Failure when it ends before, tells something else, or not within so many milliseconds; the signal's reason. */
  async told<T>(schema: z.ZodType<T>, what: string, withinMs: number, signal: AbortSignal): Promise<T> {
    const late = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    const aborted = new Promise<never>((_, reject) => {
      late.addEventListener("abort", () => reject(new Error(`not within ${withinMs / 1000} s`)), { once: true });
    });
    try {
      late.throwIfAborted();
      const line = await Promise.race([this.#lines.next(), aborted]);
      if (line.done === true) throw new Error(`it ended: ${messageOf((await this.#process).stderr)}`);
      return schema.parse(JSON.parse(line.value));
    } catch (error) {
      signal.throwIfAborted();
      throw new Failure({ tried: `wait for ${what} of ${this.#name}`, seen: messageOf(error), remedy: "The last lines of its error output tell more", exit: exitCode.invalid, cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process;
  }
}

function started(native: RunningNative, program: string, args: readonly string[]) {
  const script = fileURLToPath(new URL(program, import.meta.url));
  const [command, ...rest] = insideNative(native, ["setpriv", "--pdeathsig", "KILL", process.execPath, "--import", "tsx", script, ...args]);
  return execa(command, rest, { stdin: "pipe", reject: false, detached: true, cleanup: false, buffer: { stdout: false } });
}

/** Answers HTTP at addresses of a native host's, until it is disposed of. @throws Failure when it does not listen. */
export async function startAnswering(native: RunningNative, { port, addresses, signal }: { readonly port: number; readonly addresses: readonly string[]; readonly signal: AbortSignal }): Promise<AsyncDisposable> {
  const program = new LoadProgram(native, "serverMain.ts", [String(port), ...addresses]);
  try {
    await program.told(listeningSchema, "the port", serversWithinMs, signal);
    return program;
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** HTTP clients and servers at the host's speed, until it is stopped or disposed of. */
export class LoadGenerator implements AsyncDisposable {
  readonly #clients: LoadProgram;
  readonly #servers: readonly LoadProgram[];
  readonly #order: LoadOrder;

  private constructor(clients: LoadProgram, servers: readonly LoadProgram[], order: LoadOrder) {
    this.#clients = clients;
    this.#servers = servers;
    this.#order = order;
  }

  /** Starts the programs, and waits until the servers listen; nobody asks yet. @throws Failure when they do not. */
  static async start({ clients, servers, order, signal }: LoadOptions): Promise<LoadGenerator> {
    const answering = servers.map((native) => new LoadProgram(native, "serverMain.ts", [String(order.port), ...order.servers.filter((address) => native.host.networks.some((network) => covers(network, address)))]));
    const generator = new LoadGenerator(new LoadProgram(clients, "clientMain.ts", []), answering, order);
    try {
      await Promise.all(answering.map((program) => program.told(listeningSchema, "the port", serversWithinMs, signal)));
      return generator;
    } catch (error) {
      await generator[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Lets the clients ask, and waits until all held connections are open. @param within milliseconds. @throws Failure when they do not open. */
  async open(within: number, signal: AbortSignal): Promise<void> {
    this.#clients.say(JSON.stringify(this.#order));
    await this.#clients.told(z.object({ open: z.number() }), `${this.#order.held} connections`, within, signal);
  }

  /** Lets nobody ask any more, waits for the answers that are still due, and tells what came of all requests. @throws Failure when the clients do not tell. */
  async stop(signal: AbortSignal): Promise<LoadRecord> {
    this.#clients.say("stop");
    return this.#clients.told(loadRecordSchema, "the record", this.#order.timeoutMs + recordWithinMs, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#clients, ...this.#servers].map((program) => program[Symbol.asyncDispose]()));
  }
}
