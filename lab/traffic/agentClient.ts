import pRetry from "p-retry";
import type { Clock } from "../evidence/ledger.ts";
import { Failure, messageOf } from "../failure/failure.ts";
import { ConnectionLost, ControlConnection, Refused } from "./controlConnection.ts";
import { hostClock } from "./hostClock.ts";
import { results, type Method, type Params, type Result } from "./protocol.ts";

/** Where an agent listens, and the machine that it runs on: its clock goes by that name. */
export interface AgentPlace {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface AgentConnectOptions {
  readonly signal: AbortSignal;
  /** Milliseconds that the agent may take to start. Default 60 s. */
  readonly within?: number;
}

export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Milliseconds until the request counts as hung, new connections included. Default 30 s. */
  readonly timeoutMs?: number;
}

/** Pause before a connection is tried again, in milliseconds. */
const connectAgainMs = 250;
/** A SYN that met no machine is given up after this, so that the next one meets the machine soon after it is there. */
const connectTimeoutMs = 3_000;

/** A connection that gives no answer for so long is replaced: a restored machine may have an older state of it, and then neither end gets on. */
const firstPatienceMs = 10_000;

const pingRounds = 8;

/** The host's hand on one agent. Takes the control connection up again whenever it breaks: flows live in the agent, not in it. */
export class AgentClient implements AsyncDisposable {
  readonly place: AgentPlace;
  #connection: ControlConnection | undefined;
  #connecting: Promise<void> | undefined;
  #agent: string | undefined;
  /** Aborted when what was connected, or is being connected, is to be dropped. */
  #dropped = new AbortController();
  readonly #disposed = new AbortController();

  private constructor(place: AgentPlace) {
    this.place = place;
  }

  /** Connects, waiting for the agent to start. @throws Failure when it does not within the bound; the signal's reason. */
  static async connect(place: AgentPlace, { signal, within = 60_000 }: AgentConnectOptions): Promise<AgentClient> {
    const client = new AgentClient(place);
    await client.request("hello", {}, { signal, timeoutMs: within });
    return client;
  }

  get name(): string {
    return this.place.name;
  }

  /**
   * Asks the agent and checks its answer. When the control connection breaks the request is put again, except `connectOnce`.
   * @throws Failure when there is no right answer in time, or the agent was started anew (its flows are gone); the signal's reason.
   */
  async request<M extends Method>(method: M, params: Params[M], { signal, timeoutMs = 30_000 }: RequestOptions): Promise<Result<M>> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const both = AbortSignal.any([signal, deadline, this.#disposed.signal]);
    let seen = "no connection";
    let patienceMs = method === "connectOnce" ? Infinity : firstPatienceMs;
    try {
      for (;;) {
        try {
          const connection = await this.#connected(both, (error) => (seen = messageOf(error)));
          seen = "connected, no answer";
          return results[method].parse(await patiently(connection, method, params, both, patienceMs)) as Result<M>;
        } catch (error) {
          if (!(error instanceof ConnectionLost) || method === "connectOnce") throw error;
          seen = error.message;
          patienceMs *= 2;
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      throw new Failure({
        tried: `ask the agent on ${this.name} (${this.place.address}:${this.place.port}) for ${method}`,
        seen: deadline.aborted ? `no answer within ${timeoutMs} ms, last: ${seen}` : messageOf(error),
        remedy: error instanceof Refused ? "See the message" : `Look at the agent's service and the console of ${this.name}`,
        exit: 3,
        cause: error,
      });
    }
  }

  /**
   * The agent's monotonic clock against the host's epoch clock, by the shortest of several round trips.
   * @throws Failure when the agent does not answer.
   */
  async clock(signal: AbortSignal): Promise<Clock> {
    let best: Clock | undefined;
    for (let round = 0; round < pingRounds; round += 1) {
      const host = hostClock();
      const sentMs = performance.now();
      const { nowMs } = await this.request("now", {}, { signal });
      const halfMs = (performance.now() - sentMs) / 2;
      if (best === undefined || halfMs + host.errorMs < best.errorMs) {
        best = { clock: this.name, offsetMs: sentMs + halfMs - nowMs + host.offsetMs, errorMs: halfMs + host.errorMs, measuredAtMs: host.measuredAtMs };
      }
    }
    if (best === undefined) throw new RangeError("no round trip was made");
    return best;
  }

  /**
   * Drops the control connection without a word to the agent; the next request connects anew, and those under way are put again there, except
   * `connectOnce`. For a machine that was restored from an older state: it knows of no such connection, and would never answer on it.
   */
  reconnect(): void {
    this.#dropped.abort(new ConnectionLost("the control connection was dropped by the host"));
    this.#dropped = new AbortController();
    this.#connection?.[Symbol.dispose]();
    this.#connection = undefined;
  }

  /** Ends the control connection, not the agent's flows. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort(new Error(`the control of ${this.name} was given up`));
    this.#connection?.[Symbol.dispose]();
    return Promise.resolve();
  }

  async #connected(signal: AbortSignal, onFailed: (error: unknown) => void): Promise<ControlConnection> {
    for (;;) {
      if (this.#connection?.alive === true) return this.#connection;
      this.#connecting ??= this.#connect(signal, onFailed).finally(() => (this.#connecting = undefined));
      try {
        await this.#connecting;
      } catch (error) {
        // The attempt was another request's and was given up with it, or was dropped; ours goes on.
        if (signal.aborted || error instanceof Failure) throw error;
      }
    }
  }

  async #connect(requested: AbortSignal, onFailed: (error: unknown) => void): Promise<void> {
    const signal = AbortSignal.any([requested, this.#dropped.signal]);
    await pRetry(
      async () => {
        const candidate = await ControlConnection.open(this.place.address, this.place.port, AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]));
        try {
          const { agent } = results.hello.parse(await patiently(candidate, "hello", {}, signal, firstPatienceMs));
          signal.throwIfAborted();
          this.#agent ??= agent;
          if (agent !== this.#agent) throw this.#restarted();
        } catch (error) {
          candidate[Symbol.dispose]();
          throw error;
        }
        this.#connection = candidate;
      },
      {
        retries: Infinity,
        minTimeout: connectAgainMs,
        maxTimeout: connectAgainMs,
        signal,
        shouldRetry: ({ error }) => !(error instanceof Failure),
        onFailedAttempt: ({ error }) => onFailed(error),
      },
    );
  }

  #restarted(): Failure {
    return new Failure({
      tried: `take up the control of the agent on ${this.name} again`,
      seen: "another agent answers: it was started anew, and the flows are gone",
      remedy: `Look at the agent's service on ${this.name}`,
      exit: 3,
    });
  }
}

/** Puts a request, and closes the connection when no answer comes. @throws ConnectionLost then; else as the connection does. */
async function patiently(connection: ControlConnection, method: Method, params: unknown, signal: AbortSignal, patienceMs: number): Promise<unknown> {
  const timer = Number.isFinite(patienceMs) ? setTimeout(() => connection[Symbol.dispose](), patienceMs) : undefined;
  try {
    return await connection.request(method, params, signal);
  } finally {
    clearTimeout(timer);
  }
}
