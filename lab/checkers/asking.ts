import { quoted } from "../machine/quoted.ts";
import type { MachineShell } from "../machine/shell.ts";

/** What a guest's checker answered, as the report quotes it. */
export interface RawAnswer {
  readonly command: string;
  readonly exitCode: number;
  /** Both of its outputs, as they came; cut at `mostOutputBytes`. */
  readonly output: string;
  /** It was ended, as it had not by itself. */
  readonly endless: boolean;
  readonly tookMs: number;
}

/** What a checker is given: a machine that is thrown away afterwards, and someone who keeps what was answered. */
export interface Asking {
  readonly shell: MachineShell;
  readonly signal: AbortSignal | undefined;
  readonly answers: RawAnswer[];
}

/** Seconds after which a checker is ended: the slowest takes a tenth of it, emulated, with all modules still to be loaded. */
export const checkerSeconds = 20;

/** A checker that complains of each line of a large file says no more in its later complaints. */
const mostOutputBytes = 65_536;

/** Exit codes of timeout(1) for a command that it ended, politely or not. */
const endedByTimeout = [124, 137];

/**
 * Runs a command line in the guest, and ends it, with all that it started, when it takes too long. A tree under test may hold anything: nothing that it
 * says makes this wait for ever, or take more than it should.
 * @throws Failure when the machine does not answer.
 */
export async function ask({ shell, signal, answers }: Asking, command: string, seconds = checkerSeconds): Promise<RawAnswer> {
  const bounded = `(timeout -k 1 ${seconds} bash -c ${quoted(command)}) 2>&1 </dev/null | head -c ${mostOutputBytes}; exit \${PIPESTATUS[0]}`;
  const begin = performance.now();
  // A process that left the group keeps the pipe open: the second timeout ends the reading.
  const { stdout, exitCode, tookMs = Math.round(performance.now() - begin) } = await shell.run(`timeout -k 1 ${seconds + 2} bash -c ${quoted(bounded)}`, { timeoutMs: (seconds + 10) * 1_000, ...(signal && { signal }) });
  const answer = { command, exitCode, output: stdout, endless: endedByTimeout.includes(exitCode), tookMs };
  answers.push(answer);
  return answer;
}
