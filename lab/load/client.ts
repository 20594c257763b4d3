import { Client, errors } from "undici";
import { bodyOf, pathOf } from "./body.ts";
import type { LoadOrder } from "./order.ts";

/** What a client tells as it goes. */
export interface ClientTells {
  readonly request: (atMs: number, tookMs: number, outcome: string) => void;
  readonly lost: (atMs: number, why: string) => void;
}

/** One HTTP client with a source address of its own, which holds its connection or opens one for each request. */
export class LoadClient {
  readonly #order: LoadOrder;
  readonly #index: number;
  readonly #tells: ClientTells;
  readonly #holds: boolean;
  #held: Client | undefined;
  #asked = 0;
  #ends = false;

  constructor(order: LoadOrder, index: number, tells: ClientTells) {
    this.#order = order;
    this.#index = index;
    this.#tells = tells;
    this.#holds = index < order.held;
  }

  /** Whether it holds a connection that is open. */
  get isOpen(): boolean {
    return this.#held?.stats.connected ?? false;
  }

  /** Asks once, and tells what came of it. Never throws. */
  async ask(): Promise<void> {
    const { servers, bytes, port } = this.#order;
    const address = servers[(this.#index + (this.#holds ? 0 : this.#asked)) % servers.length] ?? "";
    const path = pathOf(bytes, this.#index * 1_000 + (this.#asked % 1_000));
    this.#asked += 1;
    const client = this.#holds ? (this.#held ??= this.#connected(`http://${address}:${port}`)) : this.#connected(`http://${address}:${port}`);
    const atMs = Date.now();
    const begin = performance.now();
    const outcome = await askOne(client, path, bodyOf(address, path) ?? Buffer.alloc(0), !this.#holds).catch(kindOf);
    this.#tells.request(atMs, performance.now() - begin, outcome);
    if (!this.#holds) await client.destroy().catch(() => undefined);
  }

  /** Gives its connection up. */
  async end(): Promise<void> {
    this.#ends = true;
    await this.#held?.destroy();
  }

  #connected(origin: string): Client {
    const { clients, timeoutMs } = this.#order;
    const localAddress = clients[this.#index];
    const client = new Client(origin, {
      ...(localAddress !== undefined && { localAddress }),
      connectTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 600_000,
      keepAliveMaxTimeout: 600_000,
      pipelining: 1,
    });
    if (this.#holds) {
      client.on("disconnect", (_, __, error: Error) => {
        if (!this.#ends) this.#tells.lost(Date.now(), kindOf(error));
      });
    }
    return client;
  }
}

async function askOne(client: Client, path: string, expected: Buffer, isLast: boolean): Promise<string> {
  const { statusCode, body } = await client.request({ method: "GET", path, reset: isLast });
  const got = Buffer.from(await body.arrayBuffer());
  if (statusCode !== 200) return "wrong-status";
  return got.equals(expected) ? "ok" : "wrong-body";
}

/** What an error is called in the record. */
export function kindOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (error instanceof errors.ConnectTimeoutError || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError || code === "ETIMEDOUT") return "timeout";
  if (error instanceof errors.SocketError || code === "ECONNRESET" || code === "EPIPE") return "reset";
  if (code === "ECONNREFUSED") return "refused";
  if (["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"].includes(code)) return "unreachable";
  return code === "" ? String(error) : code;
}
