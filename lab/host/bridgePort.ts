import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { exitCode, Failure } from "../failure/failure.ts";

/** One port of a bridge, which can be shut: then frames pass it in neither direction, and what is plugged in keeps its carrier. Disposal opens it. */
export interface BridgePort extends AsyncDisposable {
  readonly name: string;
  /** Resolves when bridge(8) has seen the port in its new state. @throws Failure when it does not get there. */
  set(state: "shut" | "open"): Promise<void>;
}

/** STP's states of a port: with no spanning tree, the kernel leaves them to whoever sets them. Source: bridge(8), `state STATE`. */
const states = { shut: { number: 0, word: "disabled" }, open: { number: 3, word: "forwarding" } } as const;

const answerWithinMs = 2_000;

/**
 * Takes hold of the bridge's port of a tap, and sees that it is open. One bridge(8) is kept waiting for its orders, so that no start of a process lies between an order and its
 * effect. It ends with disposal and with this process (parent-death signal).
 * @throws Failure when there is no such port, or it cannot be opened: the tap must have carrier, which it has while its machine is on.
 */
export async function holdBridgePort(tap: string): Promise<BridgePort> {
  const bridge = execa("setpriv", ["--pdeathsig", "KILL", "bridge", "-batch", "-"], { stdin: "pipe", env: { LC_ALL: "C" }, buffer: false, reject: false, cleanup: false });
  const complaints: string[] = [];
  let onLine: (line: string) => void = () => undefined;
  createInterface({ input: bridge.stdout }).on("line", (line) => onLine(line));
  bridge.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text.trim()));
  // A write to a bridge(8) that has ended is told by its end.
  bridge.stdin.on("error", () => undefined);
  const failure = (state: string, seen: string): Failure =>
    new Failure({ tried: `set the bridge's port ${tap} to ${state}`, seen, remedy: "Try bridge(8) of iproute2 on it in the lab's network namespace", exit: exitCode.invalid });
  const set = async (state: keyof typeof states): Promise<void> => {
    const { number, word } = states[state];
    const settled = new AbortController();
    const answered = new Promise<string>((resolve) => (onLine = resolve));
    bridge.stdin.write(`link set dev ${tap} state ${number}\nlink show dev ${tap}\n`);
    try {
      const line = await Promise.race([
        answered,
        bridge.then(() => `bridge ended: ${complaints.join("; ")}`),
        delay(answerWithinMs, undefined, { signal: settled.signal }).then(() => `no answer within ${answerWithinMs / 1000} s ${complaints.join("; ")}`),
      ]);
      if (!line.includes(` state ${word} `)) throw failure(word, line);
    } finally {
      settled.abort();
    }
  };
  try {
    await set("open");
  } catch (error) {
    bridge.kill("SIGKILL");
    throw error;
  }
  return {
    name: tap,
    set,
    async [Symbol.asyncDispose]() {
      bridge.stdin.end(`link set dev ${tap} state ${states.open.number}\n`);
      await bridge;
    },
  };
}
