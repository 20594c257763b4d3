import { once } from "node:events";
import type { Socket } from "node:net";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { linesOf } from "./socketLines.ts";
import { requestSchema, saidSchema, type Answer, type LabRequest, type Said } from "./words.ts";

/** One who asks something of a standing lab, at the lab's end of the socket: one request, what he says besides, and the answers. */
export class Conversation {
  /** Aborts when the other one is gone. */
  readonly gone: AbortSignal;
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor(socket: Socket) {
    const controller = new AbortController();
    this.gone = controller.signal;
    this.#socket = socket;
    this.#lines = linesOf(socket)[Symbol.asyncIterator]();
    // One who breaks off is told by the close.
    socket.on("error", () => undefined);
    socket.once("close", () => controller.abort(new Error("whoever asked is gone")));
  }

  /** What is asked. @throws Failure (usage) when it is nothing that a lab understands, as a client of another fwlab asks. */
  async request(): Promise<LabRequest> {
    const line = await this.#lines.next();
    try {
      return requestSchema.parse(JSON.parse(line.done === true ? "" : line.value));
    } catch (cause) {
      throw new Failure({ tried: "understand what is asked of the lab", seen: messageOf(cause).slice(0, 200), remedy: "Ask with the same fwlab that brought the lab up", exit: exitCode.usage, cause });
    }
  }

  /** What is said besides, as it comes. */
  async *said(): AsyncGenerator<Said> {
    for (let line = await this.#lines.next(); line.done !== true; line = await this.#lines.next()) yield saidSchema.parse(JSON.parse(line.value));
  }

  /** Answers, and waits while the other one does not read. */
  async answer(answer: Answer): Promise<void> {
    if (this.gone.aborted) return;
    if (!this.#socket.write(`${JSON.stringify(answer)}\n`)) await once(this.#socket, "drain", { signal: this.gone }).catch(() => undefined);
  }

  out(chunk: Buffer): Promise<void> {
    return this.answer({ out: chunk.toString("base64") });
  }

  err(chunk: Buffer): Promise<void> {
    return this.answer({ err: chunk.toString("base64") });
  }

  /** The last word: how it ended. Waits until the other one's kernel has it. */
  async end(answer: Answer): Promise<void> {
    await this.answer(answer);
    if (this.gone.aborted) return;
    const closed = new Promise<void>((resolve) => this.gone.addEventListener("abort", () => resolve(), { once: true }));
    await Promise.race([new Promise<void>((resolve) => this.#socket.end(resolve)), closed]);
  }
}

/** An error in an answer's words. */
export function failedAnswer(error: unknown): Answer {
  if (error instanceof Failure) return { failed: { tried: error.tried, seen: error.seen, remedy: error.remedy, exit: error.exit, details: [...error.details] } };
  return { failed: { tried: "do what was asked of the lab", seen: `unexpected: ${messageOf(error)}`, remedy: "It is a mistake of fwlab's: see the lab's log", exit: exitCode.invalid, details: error instanceof Error ? (error.stack ?? "").split("\n").slice(1) : [] } };
}
