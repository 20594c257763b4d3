import pRetry, { AbortError } from "p-retry";
import { Client, type ClientChannel } from "ssh2";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { LineSplitter } from "./lineSplitter.ts";
import { controlPort } from "./machineFiles.ts";
import type { CommandOptions, CommandResult, FollowedCommand, FollowEnd, FollowingShell, FollowOptions } from "./shell.ts";

export interface SshIdentity {
  /** In OpenSSH's format. */
  readonly privateKey: string;
  /** The only host key that is accepted, as a line of a .pub file. */
  readonly hostPublicKeyLine: string;
}

/** A terminal that somebody sits at: its type as terminfo(5) names it, its size in characters. */
export interface Terminal {
  readonly type: string;
  readonly columns: number;
  readonly rows: number;
}

/** An emulated sshd takes seconds for a handshake when its machine is still busy booting. */
const handshakeTimeoutMs = 30_000;
const commandTimeoutMs = 60_000;
/** Somebody waits for it: longer than a busy emulated machine takes, and no longer. */
const sessionOpensWithinMs = 20_000;

/** The key's bytes in a line of a .pub file. */
function keyBytes(publicKeyLine: string): Buffer {
  return Buffer.from(publicKeyLine.trim().split(/\s+/u)[1] ?? "", "base64");
}

/** Runs commands on a machine by SSH over the management bridge. Connects when first needed, and again after the machine was off. */
export class SshShell implements FollowingShell, AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly #identity: SshIdentity;
  #connection: Promise<Client> | undefined;

  constructor(name: string, address: string, identity: SshIdentity) {
    this.name = name;
    this.address = address;
    this.#identity = identity;
  }

  #connected(signal?: AbortSignal): Promise<Client> {
    this.#connection ??= this.#connect(signal).catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #connect(signal?: AbortSignal): Promise<Client> {
    try {
      return await pRetry(() => this.#connectOnce(), {
        retries: 20,
        factor: 1.3,
        minTimeout: 200,
        maxTimeout: 2_000,
        ...(signal && { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new Failure({
        tried: `reach ${this.name} by SSH at ${this.address}:${controlPort}`,
        seen: messageOf(error),
        remedy: "Look at the machine's console in the bundle: sshd should be running there",
        exit: exitCode.invalid,
        cause: error,
      });
    }
  }

  #connectOnce(): Promise<Client> {
    const expected = keyBytes(this.#identity.hostPublicKeyLine);
    return new Promise((resolve, reject) => {
      const client = new Client();
      // Each command that runs listens for the connection's end; as many may run as the lab's sshd takes sessions.
      client.setMaxListeners(200);
      let wrongHost = false;
      client.once("ready", () => resolve(client));
      client.on("error", (error) => {
        this.#connection = undefined;
        // Another host's key is no start-up trouble: trying again would not mend it.
        reject(wrongHost ? new AbortError(`the host key is not the one made for ${this.name}`) : error);
      });
      client.on("close", () => {
        this.#connection = undefined;
        reject(new Error("the connection was closed"));
      });
      client.connect({
        host: this.address,
        port: controlPort,
        username: "root",
        privateKey: this.#identity.privateKey,
        hostVerifier: (key: Buffer) => {
          wrongHost = !key.equals(expected);
          return !wrongHost;
        },
        readyTimeout: handshakeTimeoutMs,
      });
    });
  }

  async run(command: string, { signal, timeoutMs = commandTimeoutMs, input, encoding = "utf8" }: CommandOptions = {}): Promise<CommandResult> {
    const client = await this.#connected(signal);
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      let channel: ClientChannel | undefined;
      const giveUp = (seen: string, cause?: unknown): void => {
        stopWaiting();
        channel?.close();
        reject(
          new Failure({
            tried: `run on ${this.name}: ${command}`,
            seen,
            remedy: "Look at the machine's console in the bundle, or try the command there by hand",
            exit: exitCode.invalid,
            cause,
          }),
        );
      };
      const onAbort = (): void => {
        stopWaiting();
        channel?.close();
        reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      const onClose = (): void => giveUp("the connection broke before the command ended");
      const timer = setTimeout(() => giveUp(`no end after ${timeoutMs / 1000} s`), timeoutMs);
      const stopWaiting = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        client.removeListener("close", onClose);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      client.once("close", onClose);
      client.exec(command, (error, opened) => {
        if (error !== undefined) {
          giveUp(`the machine gave no channel: ${messageOf(error)}`, error);
          return;
        }
        channel = opened;
        const stdout: Buffer[] = [];
        const stderr: Buffer[] = [];
        let code: number | undefined;
        opened.on("data", (chunk: Buffer) => stdout.push(chunk));
        opened.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
        opened.on("exit", (exit: number | null, killedBy?: string) => {
          code = exit ?? 128;
          if (killedBy !== undefined) stderr.push(Buffer.from(`killed by ${killedBy}`));
        });
        opened.on("close", () => {
          if (code === undefined) {
            giveUp("the channel was closed before the command ended");
            return;
          }
          stopWaiting();
          resolve({ stdout: Buffer.concat(stdout).toString(encoding), stderr: Buffer.concat(stderr).toString(encoding), exitCode: code });
        });
        opened.end(input ?? "");
      });
    });
  }

  async must(command: string, options: CommandOptions = {}): Promise<string> {
    const { stdout, stderr, exitCode: code } = await this.run(command, options);
    if (code === 0) return stdout;
    throw new Failure({
      tried: `run on ${this.name}: ${command}`,
      seen: `exit code ${code}, ${stderr.trim() || "nothing on stderr"}`,
      remedy: "Try the command there by hand",
      exit: exitCode.invalid,
    });
  }

  async follow(command: string, { onLine, signal }: FollowOptions): Promise<FollowedCommand> {
    const client = await this.#connected(signal);
    signal?.throwIfAborted();
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      const refuse = (cause: unknown): void =>
        reject(new Failure({ tried: `follow on ${this.name}: ${command}`, seen: messageOf(cause), remedy: "Look at the machine's console in the bundle", exit: exitCode.invalid, cause }));
      const onClose = (): void => refuse(new Error("the connection broke"));
      client.once("close", onClose);
      client.exec(command, (error, opened) => {
        client.removeListener("close", onClose);
        if (error === undefined) resolve(opened);
        else refuse(error);
      });
    });
    return followed(client, channel, onLine, signal);
  }

  /**
   * Somebody's own session on the machine: a command, or a login shell without one; on a terminal of the machine's, if one is asked for. Whoever asked closes it.
   * @throws Failure when the machine does not answer, or gives no channel.
   */
  async session(command: string | undefined, terminal: Terminal | undefined, signal?: AbortSignal): Promise<ClientChannel> {
    const client = await this.#connected(signal);
    signal?.throwIfAborted();
    const pty = terminal === undefined ? undefined : { term: terminal.type, cols: terminal.columns, rows: terminal.rows, width: 0, height: 0 };
    return new Promise<ClientChannel>((resolve, reject) => {
      const refuse = (seen: string, cause?: unknown): void => reject(new Failure({ tried: `open a session on ${this.name}`, seen, remedy: "Look at the machine's console, which needs no network", exit: exitCode.invalid, cause }));
      const timer = setTimeout(() => {
        // What is sent on it waits for longer and longer: a new connection finds a machine that is back at once.
        this.drop();
        refuse(`it does not answer within ${sessionOpensWithinMs / 1000} s`);
      }, sessionOpensWithinMs);
      const onOpen = (error: Error | undefined, channel: ClientChannel): void => {
        clearTimeout(timer);
        if (error === undefined) resolve(channel);
        else refuse(messageOf(error), error);
      };
      if (command !== undefined) client.exec(command, pty === undefined ? {} : { pty }, onOpen);
      else client.shell(pty ?? false, onOpen);
    });
  }

  /** Drops the connection without a word to the other side, as after a power cut. The next command connects anew. */
  drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then(
      (client) => client.destroy(),
      // A connection that was never made leaves nothing to drop; whoever asked for it has had the error.
      () => undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    await Promise.resolve();
  }
}

function followed(client: Client, channel: ClientChannel, onLine: (line: string) => void, signal: AbortSignal | undefined): FollowedCommand {
  const lines = new LineSplitter(onLine);
  const stderr: Buffer[] = [];
  let code: number | undefined;
  let close: () => void = () => undefined;
  const ended = new Promise<FollowEnd>((resolve) => {
    const end = (): void => {
      signal?.removeEventListener("abort", close);
      client.removeListener("close", end);
      resolve({ exitCode: code, stderr: Buffer.concat(stderr).toString() });
    };
    // A machine that hangs never confirms that its end of the channel is closed, so nobody waits for that.
    close = () => {
      channel.close();
      end();
    };
    channel.on("data", (chunk: Buffer) => lines.take(chunk));
    channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    channel.on("exit", (exit: number | null) => (code = exit ?? 128));
    // What a broken channel complains of is told by its end without an exit code.
    channel.on("error", end);
    channel.once("close", end);
    client.once("close", end);
  });
  if (signal?.aborted === true) close();
  signal?.addEventListener("abort", close, { once: true });
  return {
    ended,
    write: (text) => void channel.write(text),
    async [Symbol.asyncDispose]() {
      close();
      await ended;
    },
  };
}
