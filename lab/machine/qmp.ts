import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** QEMU's docs/interop/qmp-spec: what a server sends. */
const messageSchema = z.union([
  z.object({ QMP: z.object({ version: z.object({ qemu: z.object({ major: z.number(), minor: z.number(), micro: z.number() }) }) }) }),
  z.object({ event: z.string(), data: z.unknown().optional() }),
  z.object({ id: z.number(), return: z.unknown() }),
  z.object({ id: z.number(), error: z.object({ class: z.string(), desc: z.string() }) }),
]);

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Failure) => void;
  readonly command: string;
}

/** QEMU's machine protocol over a pair of streams. */
export class Qmp {
  readonly #machine: string;
  readonly #output: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended = false;

  private constructor(machine: string, input: Readable, output: Writable) {
    this.#machine = machine;
    this.#output = output;
    const lines = createInterface({ input });
    lines.on("line", (line) => this.#take(line));
    lines.on("close", () => this.#end());
    // A write after QEMU's death fails the commands that wait, by #end; the stream's own error says nothing more.
    output.on("error", () => this.#end());
  }

  /** Takes up the protocol with a QEMU that has just been started. @throws Failure when it ends first. */
  static async connect(machine: string, input: Readable, output: Writable): Promise<Qmp> {
    const qmp = new Qmp(machine, input, output);
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  /** Runs a command, and gives what it returns. @throws Failure when QEMU refuses, or ends first. */
  execute(command: string, commandArguments: Record<string, unknown> = {}): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, command });
      if (this.#ended) {
        this.#end();
        return;
      }
      this.#output.write(`${JSON.stringify({ execute: command, arguments: commandArguments, id })}\n`);
    });
  }

  #failure(command: string, seen: string): Failure {
    return new Failure({
      tried: `QMP ${command} on ${this.#machine}`,
      seen,
      remedy: "Look at the machine's console and at QEMU's stderr in the bundle",
      exit: exitCode.invalid,
    });
  }

  #take(line: string): void {
    if (line.trim() === "") return;
    let message: z.infer<typeof messageSchema>;
    try {
      message = messageSchema.parse(JSON.parse(line));
    } catch (error) {
      this.#end(`QEMU said what is not QMP: ${line.slice(0, 200)} (${messageOf(error)})`);
      return;
    }
    if (!("id" in message)) return;
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    if ("error" in message) {
      waiting.reject(this.#failure(waiting.command, `QEMU answered ${message.error.class}: ${message.error.desc}`));
    } else {
      waiting.resolve(message.return);
    }
  }

  #end(seen = "QEMU ended before it answered"): void {
    this.#ended = true;
    for (const [id, waiting] of this.#waiting) {
      this.#waiting.delete(id);
      waiting.reject(this.#failure(waiting.command, seen));
    }
  }
}
