import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import type { FlowError, FlowLedger, RecordColumns, Tuple } from "../evidence/ledger.ts";
import { Failure, messageOf } from "../failure/failure.ts";
import type { MachineShell } from "../machine/shell.ts";
import type { FlowSpec } from "./flowSpec.ts";
import { hostClock } from "./hostClock.ts";
import { localEndsTo, newEnd } from "./sourcePort.ts";
import { farSideScript, keystrokesOfLine, typedLine } from "./sshScript.ts";
import { forwardedStream, sessionThrough, type SshIdentity } from "./sshSession.ts";
import { SshTranscript } from "./sshTranscript.ts";
import type { MovementWatch } from "./watch.ts";

export interface SshFlowOptions {
  readonly id: string;
  readonly spec: FlowSpec;
  /** The client machine: its sshd opens the connection, so that the TCP flow is the client's own. */
  readonly client: MachineShell;
  readonly serverAddress: string;
  readonly identity: SshIdentity;
  /** Milliseconds for the session to be ready. */
  readonly within: number;
  readonly signal: AbortSignal;
}

/**
 * A real SSH session through the firewalls, typed keystroke by keystroke. A line is a record: sent with its return key, received when the far
 * side's right answer to it is here, as the far side has no clock of ours. `reverse.sent` bears the time of the return key: no answer is older.
 */
export class SshFlow implements AsyncDisposable {
  readonly id: string;
  readonly spec: FlowSpec;
  readonly tuple: Tuple;
  readonly natTuple: Tuple;
  readonly #session: Client;
  readonly #channel: ClientChannel;
  readonly #transcript: SshTranscript;
  readonly #seed: number;
  readonly #typedAtMs: number[] = [];
  readonly #answered: RecordColumns = { clock: "host", seq: [], atMs: [] };
  readonly #errors: FlowError[] = [];
  #wrongLines = 0;
  #corruptAnswers = 0;
  #line = "";
  #speaking = true;
  #ended = false;
  #closing = false;
  #keyboard: NodeJS.Timeout | undefined;

  private constructor(options: SshFlowOptions, session: Client, channel: ClientChannel, seed: number, tuple: Tuple, natTuple: Tuple, rest: string) {
    this.id = options.id;
    this.spec = options.spec;
    this.tuple = tuple;
    this.natTuple = natTuple;
    this.#session = session;
    this.#channel = channel;
    this.#seed = seed;
    this.#transcript = new SshTranscript(seed);
    session.on("error", (error) => this.#end("code" in error && typeof error.code === "string" ? error.code : "ESSH", error.message));
    session.on("end", () => this.#end("EOF", "the client's side ended the TCP stream"));
    session.on("close", () => this.#end("EOF", "the SSH connection ended"));
    channel.on("close", () => this.#end("EOF", "the far side's program ended"));
    channel.on("data", (bytes: Buffer) => this.#hear(bytes.toString("latin1")));
    this.#hear(rest);
    this.#keyboard = setInterval(() => this.#type(), this.spec.intervalMs / keystrokesOfLine);
  }

  /**
   * Opens sessions: their TCP connections one after the other, or their source ports could not be told apart; then all log in side by side.
   * @throws Failure when one is not there within its bound, or the server's host key is not the expected one; none is left open then.
   */
  static async openAll(all: readonly SshFlowOptions[]): Promise<SshFlow[]> {
    const reached: { readonly options: SshFlowOptions; readonly tunnel: Duplex; readonly tuple: Tuple }[] = [];
    try {
      for (const options of all) {
        const { client, serverAddress, spec } = options;
        const target = { address: serverAddress, port: spec.port };
        reached.push(
          await SshFlow.#bounded(options, async (signal) => {
            const before = await localEndsTo(client, target.address, target.port, signal);
            const tunnel = await forwardedStream(await client.connection(), target, signal);
            const source = newEnd(before, await localEndsTo(client, target.address, target.port, signal), client.name);
            return { options, tunnel, tuple: { source, destination: target } };
          }),
        );
      }
    } catch (error) {
      for (const { tunnel } of reached) tunnel.destroy();
      throw error;
    }
    const logins = await Promise.allSettled(reached.map(({ options, tunnel, tuple }) => SshFlow.#logIn(options, tunnel, tuple)));
    const failed = logins.find((login) => login.status === "rejected");
    const flows = logins.flatMap((login) => (login.status === "fulfilled" ? [login.value] : []));
    if (failed === undefined) return flows;
    await Promise.all(flows.map((flow) => flow[Symbol.asyncDispose]()));
    throw failed.reason;
  }

  static #logIn(options: SshFlowOptions, tunnel: Duplex, tuple: Tuple): Promise<SshFlow> {
    const seed = (Number(options.id.replace(/\D/gu, "")) * 104_729) % 100_000;
    return SshFlow.#bounded(options, async (signal) => {
      const session = await sessionThrough(tunnel, { target: tuple.destination, identity: options.identity, signal });
      try {
        const {
          channel,
          greeting: { rest, ...natTuple },
        } = await startProgram(session, farSideScript(seed), signal);
        return new SshFlow(options, session, channel, seed, tuple, natTuple, rest);
      } catch (error) {
        session.destroy();
        throw error;
      }
    });
  }

  /** Does a part of the opening within the flow's bound, and says what it was about when it fails. */
  static async #bounded<T>(options: SshFlowOptions, part: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { client, serverAddress, spec, id } = options;
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.within)]);
    try {
      return await part(signal);
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof Failure) throw error;
      throw new Failure({
        tried: `open ${id} from ${client.name} to ${serverAddress}:${spec.port}`,
        seen: signal.aborted ? `no session within ${options.within} ms` : messageOf(error),
        remedy: "Look at sshd on both machines, and at the firewalls' rules",
        exit: 3,
        cause: error,
      });
    }
  }

  /** No new line is begun; the one under way is typed to its end. */
  stop(): void {
    this.#speaking = false;
  }

  /** Types on. */
  speak(): void {
    this.#speaking = true;
  }

  /** Whether nothing is under way: no half line, every line answered, or the session has ended. */
  get quiet(): boolean {
    return this.#ended || (this.#line === "" && this.#answered.seq.length + this.#wrongLines === this.#typedAtMs.length);
  }

  /** Waits for a line sent after a moment (host's epoch clock, milliseconds) to be answered. */
  watch(afterMs: number): MovementWatch {
    const { offsetMs, errorMs } = hostClock();
    const first = (): number => this.#typedAtMs.findIndex((typedMs) => typedMs >= afterMs - offsetMs + errorMs);
    return {
      poll: () => {
        const seq = first();
        const index = seq < 0 ? -1 : this.#answered.seq.findIndex((answered) => answered >= seq);
        const atMs = this.#answered.atMs[index];
        return Promise.resolve(new Map(atMs === undefined ? [] : [[this.id, atMs + offsetMs]]));
      },
    };
  }

  ledger(): FlowLedger {
    const sent = { clock: "host", seq: this.#typedAtMs.map((_, seq) => seq), atMs: [...this.#typedAtMs] };
    const received = (): RecordColumns => ({ clock: "host", seq: [...this.#answered.seq], atMs: [...this.#answered.atMs] });
    const answersSent = { clock: "host", seq: [...this.#answered.seq], atMs: this.#answered.seq.map((seq) => this.#typedAtMs[seq] ?? 0) };
    return {
      id: this.id,
      kind: "ssh",
      mode: this.spec.mode,
      intervalMs: this.spec.intervalMs,
      tuple: this.tuple,
      natTuple: this.natTuple,
      serverSawSources: [this.natTuple.source],
      accepted: 1,
      forward: { sent, received: received(), corrupt: this.#wrongLines },
      reverse: { sent: answersSent, received: received(), corrupt: this.#corruptAnswers },
      errors: [...this.#errors],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    clearInterval(this.#keyboard);
    this.#channel.end();
    this.#session.end();
    // A session whose peer is dead never answers the goodbye.
    await sleep(50);
    this.#session.destroy();
  }

  #type(): void {
    if (this.#ended || (this.#line === "" && !this.#speaking)) return;
    if (this.#line === "") this.#line = typedLine(this.#typedAtMs.length, this.#seed);
    const keystroke = this.#line.charAt(0);
    this.#line = this.#line.slice(1);
    this.#transcript.typed(keystroke);
    if (this.#line === "") this.#typedAtMs.push(performance.now());
    this.#channel.write(keystroke);
  }

  #hear(output: string): void {
    const { answered, wrongLines, diverged } = this.#transcript.hear(output);
    const nowMs = performance.now();
    for (const seq of answered) {
      this.#answered.seq.push(seq);
      this.#answered.atMs.push(nowMs);
    }
    this.#wrongLines += wrongLines;
    if (diverged === undefined) return;
    this.#corruptAnswers += 1;
    this.#errors.push({ clock: "host", atMs: nowMs, code: "EBYTES", message: `the session gave a byte that it must not give: ${diverged}` });
  }

  #end(code: string, message: string): void {
    if (this.#ended || this.#closing) return;
    this.#ended = true;
    clearInterval(this.#keyboard);
    this.#errors.push({ clock: "host", atMs: performance.now(), code, message });
  }
}

interface Started {
  readonly channel: ClientChannel;
  readonly greeting: NonNullable<ReturnType<typeof SshTranscript.greeting>>;
}

function startProgram(session: Client, program: string, signal: AbortSignal): Promise<Started> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    session.once("close", () => reject(new Error("the SSH connection ended")));
    session.exec(program, { pty: { term: "dumb", cols: 80, rows: 24 } }, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      let output = "";
      const hear = (bytes: Buffer): void => {
        output += bytes.toString("latin1");
        const greeting = SshTranscript.greeting(output);
        if (greeting === undefined) return;
        channel.off("data", hear);
        resolve({ channel, greeting });
      };
      channel.on("data", hear);
      channel.once("close", () => reject(new Error(`the far side's program ended, having said ${JSON.stringify(output.slice(0, 200))}`)));
    });
  });
}
