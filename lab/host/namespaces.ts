import { readlinkSync } from "node:fs";
import { constants } from "node:os";
import { execa, type Result } from "execa";
import { z } from "zod";
import { exitCode, Failure } from "../failure/failure.ts";

/** Tells an inner process which network namespace it is to be outside of: the link text of the outer one's /proc/self/ns/net. */
const outsideVariable = "FWLAB_OUTSIDE_NET";
/** Milliseconds that the inner command has to end after it was told to; the kernel ends it then. */
const graceMs = 10_000;
/** Milliseconds after the end of unshare in which the channel of a command that has ended is read to its end. */
const orphanMs = 300;

/** What the inner process tells the outer one: that it is there, and at its end with which exit code it ends. */
export const innerWordSchema = z.object({ fwlabInner: z.literal(true), exitCode: z.number().int().optional() });
export type InnerWord = z.infer<typeof innerWordSchema>;

/** The signals that are handed through to the inner command. */
export const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type StopSignal = (typeof stopSignals)[number];

export interface EnterNamespacesOptions {
  /** Program, found by PATH, and its arguments. */
  readonly command: string;
  readonly args: readonly string[];
  /** Tells the inner command to stop, as SIGTERM does, and ends it ten seconds later. */
  readonly signal?: AbortSignal;
  /** Environment variables besides this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command in network, mount, PID, IPC and UTS namespaces of its own (and a user namespace, as its root, for an ordinary user) and
 * gives its exit code, 128 + N when signal N ended it, as a shell does.
 *
 * The command is the first process of its PID namespace, in a session of its own: when it ends, however it does, the kernel ends
 * everything that it started and takes network and mounts away. It ends with unshare, and unshare with this process (parent-death
 * signals). SIGINT, SIGTERM and SIGHUP to this process reach it once each as messages on Node's IPC channel (`followOuterProcess`),
 * because unshare blocks the first two and hands none on.
 * @throws Failure (usage) when unshare or setpriv cannot be started.
 */
export async function enterNamespaces({ command, args, signal, env = {} }: EnterNamespacesOptions): Promise<number> {
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const unshare = ["unshare", ...asRoot, "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];
  const inner = execa("setpriv", ["--pdeathsig", "KILL", ...unshare, "--", command, ...args], {
    stdio: "inherit",
    ipc: true,
    buffer: false,
    serialization: "json",
    // A session of its own: Ctrl-C in a terminal reaches this process alone, so the inner one hears of it once.
    detached: true,
    reject: false,
    // An ordinary user's PATH lacks the folders of the programs that only root of the namespaces can use.
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, ...env, [outsideVariable]: networkNamespace() },
  });
  const words: InnerWord[] = [];
  inner.on("message", (message) => {
    const word = innerWordSchema.safeParse(message);
    if (word.success) {
      words.push(word.data);
    }
  });
  // unshare may be killed before it has tied the command to itself. The command then lives on, holding its end of the channel, for which
  // execa would wait: it is told by the closing of ours. A command that has ended has closed the channel by itself long before.
  inner.once("exit", () =>
    setTimeout(() => {
      if (inner.connected) {
        inner.disconnect();
      }
    }, orphanMs),
  );
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (name: StopSignal) => {
    // A closed channel has nobody behind it to tell; what is left of the command is ended by the timer.
    inner.sendMessage({ fwlabStop: name }).catch(() => undefined);
    killTimer ??= setTimeout(() => inner.kill("SIGKILL"), graceMs);
  };
  const onAbort = () => stop("SIGTERM");
  signal?.addEventListener("abort", onAbort, { once: true });
  stopSignals.forEach((name) => process.on(name, stop));
  try {
    if (signal?.aborted === true) {
      onAbort();
    }
    const ended = shellExitCode(await inner);
    // unshare turns the SIGKILL of its command into exit code 1, which would read as a verdict: believe the command's own word.
    const diedSilently = words.length > 0 && words.every((word) => word.exitCode === undefined);
    return ended === 1 && diedSilently ? 128 + constants.signals.SIGKILL : ended;
  } finally {
    clearTimeout(killTimer);
    signal?.removeEventListener("abort", onAbort);
    stopSignals.forEach((name) => process.off(name, stop));
    if (inner.connected) {
      inner.disconnect();
    }
  }
}

/** Whether this process, or one that it descends from, was started by `enterNamespaces` and is outside of the network it came from. */
export function insideNamespaces(): boolean {
  const outside = process.env[outsideVariable];
  return outside !== undefined && outside !== networkNamespace();
}

/** Whether this process is the command that `enterNamespaces` started: the first of its namespaces. */
export function isFirstInside(): boolean {
  return process.pid === 1 && insideNamespaces();
}

function networkNamespace(): string {
  return readlinkSync("/proc/self/ns/net");
}

function shellExitCode(result: Pick<Result, "exitCode" | "signal" | "originalMessage">): number {
  if (result.exitCode !== undefined) {
    return result.exitCode;
  }
  if (result.signal !== undefined) {
    return 128 + constants.signals[result.signal];
  }
  throw new Failure({
    tried: "start a command in namespaces of its own",
    seen: result.originalMessage ?? "setpriv did not start",
    remedy: "Install the package util-linux (unshare, setpriv).",
    exit: exitCode.usage,
  });
}
