import { execa } from "execa";

/** Tells what the bridges of this network namespace learn and forget, on the host's clock. Disposal ends it. */
export interface ForwardingMonitor extends AsyncDisposable {
  /** All that bridge(8) has printed so far, times in UTC. */
  readonly text: string;
  /** Why it ended, when it did so by itself. */
  readonly problem: string | undefined;
}

/** Follows all bridges by `bridge -t monitor fdb`. It ends with its disposal, and with this process (parent-death signal). */
export function monitorForwarding(): ForwardingMonitor {
  const monitor = execa("setpriv", ["--pdeathsig", "KILL", "bridge", "-t", "monitor", "fdb"], {
    env: { LC_ALL: "C", TZ: "UTC" },
    stdin: "ignore",
    buffer: false,
    reject: false,
    cleanup: false,
  });
  const printed: string[] = [];
  const complaints: string[] = [];
  monitor.stdout.setEncoding("utf8").on("data", (text: string) => printed.push(text));
  monitor.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text));
  let disposed = false;
  let problem: string | undefined;
  const ended = monitor.then(({ exitCode, signal, originalMessage }) => {
    if (!disposed) problem = complaints.join("").trim() || (originalMessage ?? `it ended with ${signal ?? `exit code ${exitCode ?? "unknown"}`}`);
  });
  return {
    get text() {
      return printed.join("");
    },
    get problem() {
      return problem;
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      monitor.kill("SIGTERM");
      await ended;
    },
  };
}
