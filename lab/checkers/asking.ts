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

type Put = (turn: number, command: string, seconds: number) => Promise<RawAnswer>;

/** What a checker is given: who answers, and what was asked so far. */
export class Asking {
  /** Every question in its order, with what was answered; whole once all have been answered. */
  readonly answers: RawAnswer[] = [];
  readonly #put: Put;
  #turns = 0;

  private constructor(put: Put) {
    this.#put = put;
  }

  /** Asks a machine that is thrown away afterwards. */
  static of(shell: MachineShell, signal?: AbortSignal): Asking {
    return new Asking((_, command, seconds) => answerOf(shell, command, seconds, signal));
  }

  /** Asks nobody: gives what was answered when the same was asked before. Another question, or one out of turn, is a NotRecalled. */
  static recalling(recalled: readonly RawAnswer[]): Asking {
    return new Asking((turn, command) => {
      const answer = recalled[turn];
      return answer?.command === command ? Promise.resolve(answer) : Promise.reject(new NotRecalled(command));
    });
  }

  async ask(command: string, seconds: number): Promise<RawAnswer> {
    const turn = this.#turns;
    this.#turns += 1;
    const answer = await this.#put(turn, command, seconds);
    this.answers[turn] = answer;
    return answer;
  }
}

/** Something is asked that was not asked before. */
export class NotRecalled extends Error {}

/** Seconds after which a checker is ended: the slowest takes a tenth of it, emulated, with all modules still to be loaded. */
export const checkerSeconds = 20;

/** A checker that complains of each line of a large file says no more in its later complaints. */
const mostOutputBytes = 65_536;

/** Exit codes of timeout(1) for a command that it ended, politely or not. */
const endedByTimeout = [124, 137];

/**
 * Runs a command line in the guest, and ends it, with all that it started, when it takes too long. A tree under test may hold anything: nothing that it
 * says makes this wait for ever, or take more than it should.
 * @throws Failure when the machine does not answer; NotRecalled.
 */
export function ask(asking: Asking, command: string, seconds = checkerSeconds): Promise<RawAnswer> {
  return asking.ask(command, seconds);
}

async function answerOf(shell: MachineShell, command: string, seconds: number, signal: AbortSignal | undefined): Promise<RawAnswer> {
  const bounded = `(timeout -k 1 ${seconds} bash -c ${quoted(command)}) 2>&1 </dev/null | head -c ${mostOutputBytes}; exit \${PIPESTATUS[0]}`;
  const begin = performance.now();
  // A process that left the group keeps the pipe open: the second timeout ends the reading.
  const { stdout, exitCode, tookMs = Math.round(performance.now() - begin) } = await shell.run(`timeout -k 1 ${seconds + 2} bash -c ${quoted(bounded)}`, { timeoutMs: (seconds + 10) * 1_000, ...(signal && { signal }) });
  return { command, exitCode, output: stdout, endless: endedByTimeout.includes(exitCode), tookMs };
}
