import { once } from "node:events";
import { execa } from "execa";
import { exitCode, Failure } from "../failure/failure.ts";

/** Exit code that flock(1) is told to give when somebody else holds the lock: EX_TEMPFAIL of sysexits.h. */
const taken = 75;

export interface LockOptions {
  /** Ends the waiting for the lock. A lock that is held is kept until the action has ended, which obeys the signal by itself. */
  readonly signal: AbortSignal;
  /** Called once when somebody else holds the lock. */
  readonly onWait: () => void;
}

/**
 * Runs `action` while no other process, in whatever namespace, holds the lock `file`. The lock is the kernel's (flock(2), held by a
 * process of flock(1) that ends with us), so that a killed holder leaves no lock behind; the empty file stays.
 * @throws Failure (usage) when the lock cannot be had, what `action` throws, or the signal's reason.
 */
export async function withLock<T>(file: string, { signal, onWait }: LockOptions, action: () => Promise<T>): Promise<T> {
  const holder = (await hold(file, ["--nonblock"], signal)) ?? (onWait(), await hold(file, [], signal));
  if (holder === undefined) {
    throw lockFailure(file, "somebody else holds it");
  }
  try {
    return await action();
  } finally {
    await holder.release();
  }
}

async function hold(file: string, options: readonly string[], signal: AbortSignal): Promise<{ release: () => Promise<void> } | undefined> {
  const waiting = new AbortController();
  const giveUp = () => waiting.abort(signal.reason);
  if (signal.aborted) {
    giveUp();
  }
  signal.addEventListener("abort", giveUp);
  // cat ends when its standard input does: when we release the lock, and when we die.
  const holder = execa(
    "setpriv",
    ["--pdeathsig", "KILL", "flock", ...options, "--conflict-exit-code", String(taken), file, "sh", "-c", "echo held; exec cat"],
    { stdin: "pipe", reject: false, cancelSignal: waiting.signal, killSignal: "SIGKILL" },
  );
  const said = await Promise.race([once(holder.stdout, "data"), holder]).finally(() => signal.removeEventListener("abort", giveUp));
  if (signal.aborted) {
    await holder;
    signal.throwIfAborted();
  }
  if (Array.isArray(said)) {
    return {
      release: async () => {
        holder.stdin.end();
        await holder;
      },
    };
  }
  const result = await holder;
  if (result.exitCode === taken) {
    return undefined;
  }
  throw lockFailure(file, result.stderr === "" ? (result.originalMessage ?? `flock ended with exit code ${result.exitCode ?? "none"}`) : result.stderr);
}

function lockFailure(file: string, seen: string): Failure {
  return new Failure({
    tried: `lock ${file}`,
    seen,
    remedy: "Make the cache folder writable, or name another with FWLAB_CACHE=FOLDER.",
    exit: exitCode.usage,
  });
}
