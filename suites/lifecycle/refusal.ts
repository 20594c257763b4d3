import { Command } from "./command.ts";
import { programOf } from "./processes.ts";
import type { Traces } from "./traces.ts";

/** How a command ended that had to be refused. */
export interface Refusal {
  readonly exitCode: number | undefined;
  /** The first line of standard error, and how many follow. */
  readonly line: string | undefined;
  readonly details: readonly string[];
  readonly stdout: string;
  readonly leftovers: readonly string[];
  readonly tookMs: number;
}

/** Runs a command to its end. @throws Error when it does not end within `patienceMs`, or boots anything; nothing of it is left then. */
export async function refusalOf(
  commandLine: readonly [string, ...string[]],
  { traces, env = {}, patienceMs = 60_000 }: { readonly traces: Traces; readonly env?: Readonly<Record<string, string>>; readonly patienceMs?: number },
): Promise<Refusal> {
  await using command = new Command(commandLine, { traces, env });
  const deadline = performance.now() + patienceMs;
  let hasEnded = false;
  const ended = command.ended.finally(() => {
    hasEnded = true;
  });
  await command.until("looked at to its end", (processes) => {
    // QEMU that is asked for its version boots nothing.
    const booted = processes.find((process) => programOf(process).startsWith("qemu-system") && process.command.includes("-kernel"));
    if (booted !== undefined) throw new Error(`not refused, but booted: ${booted.command.join(" ")}`);
    if (performance.now() > deadline) throw new Error(`not refused within ${patienceMs / 1000} s; it said:\n${command.output}`);
    return hasEnded;
  });
  const { exitCode, stderr, stdout, tookMs } = await ended;
  const [line, ...details] = stderr;
  return { exitCode, line, details, stdout, leftovers: traces.leftovers(), tookMs };
}

/** `npm start` with arguments, as a shell script that first makes the host a worse one in mounts of its own; `$@` is the command. */
export function inWorseHost(script: string, ...args: string[]): [string, ...string[]] {
  return ["unshare", "--mount", "sh", "-euc", script, "sh", "npm", "start", "--", ...args];
}
