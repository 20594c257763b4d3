import { connect, type Socket } from "node:net";
import { replySchema } from "./protocol.ts";

/** The control connection ended before the answer came. The agent and its flows may well be alive. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** The agent was reached, and said no. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** As the agent gives it: EBADREQUEST, EADDRINUSE, … */
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One TCP connection to an agent: a line of JSON a request, a line an answer, matched by id. */
export class ControlConnection implements Disposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #parts: string[] = [];
  #nextId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => this.#fail("closed"));
  }

  /** Connects. @throws the socket's error, or the signal's reason. */
  static open(address: string, port: number, signal: AbortSignal): Promise<ControlConnection> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const socket = connect({ host: address, port, noDelay: true, keepAlive: true });
      const onAbort = (): void => {
        socket.destroy();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      socket.once("error", (error) => {
        signal.removeEventListener("abort", onAbort);
        reject(error);
      });
      socket.once("connect", () => {
        signal.removeEventListener("abort", onAbort);
        resolve(new ControlConnection(socket));
      });
    });
  }

  get alive(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** Asks, and gives the answer unchecked. @throws ConnectionLost, Refused, or the signal's reason. */
  request(method: string, params: unknown, signal: AbortSignal): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      if (!this.alive) {
        reject(new ConnectionLost("the control connection is closed"));
        return;
      }
      const onAbort = (): void => {
        this.#waiting.delete(id);
        reject(signal.reason as Error);
      };
      const settled = (): void => signal.removeEventListener("abort", onAbort);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.set(id, {
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
    this.#fail("closed by the host");
  }

  #take(text: string): void {
    const lines = text.split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      this.#settle(this.#parts.join("") + line);
      this.#parts = [];
    }
    this.#parts.push(last);
  }

  #settle(line: string): void {
    let reply;
    try {
      reply = replySchema.parse(JSON.parse(line));
    } catch {
      this.#socket.destroy(new Error(`the agent answered what is no answer: ${line.slice(0, 200)}`));
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.result);
    else waiting?.reject(new Refused(reply.code, reply.message));
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new ConnectionLost(`the control connection ended: ${why}`));
    this.#waiting.clear();
  }
}
