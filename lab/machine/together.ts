import { setImmediate as nextTurn } from "node:timers/promises";
import { exitCode as exits, Failure } from "../failure/failure.ts";
import { answersIn, togetherCommand, type Asked, type Order } from "./togetherScript.ts";
import type { CommandOptions, CommandResult, MachineShell } from "./shell.ts";

export type { Order } from "./togetherScript.ts";

/** Milliseconds until a command of which nothing else is said counts as hung. */
const usualTimeoutMs = 60_000;

/** What one command more costs a slow machine at the most, and the session itself, in milliseconds. */
const marginMs = 15_000;

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (answer: CommandResult) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A machine's shell that takes what it is asked in one turn of the event loop to the machine in one session, as a session costs an emulated machine
 * more than most commands. Each command has an answer, an exit code and a timeout of its own all the same: one that fails or hangs, fails alone.
 * A command with something on its standard input goes by itself, and those that can be aborted by another signal go in another session.
 * @param order `one after the other` where one command changes what the next one sees: in the order in which they were asked.
 */
export function together(shell: MachineShell, order: Order = "side by side"): MachineShell {
  const waiting = new Map<AbortSignal | undefined, Waiting[]>();

  const send = async (signal: AbortSignal | undefined): Promise<void> => {
    await nextTurn();
    const batch = waiting.get(signal) ?? [];
    waiting.delete(signal);
    try {
      await answer(shell, order, batch, signal);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  const run = (command: string, options: CommandOptions = {}): Promise<CommandResult> => {
    const { signal, timeoutMs = usualTimeoutMs, input } = options;
    if (input !== undefined) return shell.run(command, options);
    return new Promise((resolve, reject) => {
      const batch = waiting.get(signal);
      const one = { asked: { command, timeoutMs }, resolve, reject };
      if (batch !== undefined) {
        batch.push(one);
        return;
      }
      waiting.set(signal, [one]);
      void send(signal);
    });
  };

  return {
    name: shell.name,
    address: shell.address,
    run,
    async must(command, options) {
      const { stdout, stderr, exitCode } = await run(command, options);
      if (exitCode === 0) return stdout;
      throw failure(shell, command, failedWith(exitCode, stderr));
    },
  };
}

/** Asks for all at once, and gives each its own. @throws Failure when the machine gives no answers at all; the signal's reason. */
async function answer(shell: MachineShell, order: Order, batch: readonly Waiting[], signal: AbortSignal | undefined): Promise<void> {
  const asked = batch.map((each) => each.asked);
  const timeouts = asked.map(({ timeoutMs }) => timeoutMs);
  const longestMs = order === "side by side" ? Math.max(...timeouts) : timeouts.reduce((sum, each) => sum + each, 0);
  const { stdout, stderr, exitCode } = await shell.run(togetherCommand(asked, order), { timeoutMs: longestMs + marginMs, encoding: "latin1", ...(signal && { signal }) });
  if (exitCode !== 0) throw failure(shell, asked.map(({ command }) => command).join("; "), failedWith(exitCode, stderr));
  const answers = await answersIn(Buffer.from(stdout, "latin1"), asked);
  batch.forEach(({ asked: { command }, resolve, reject }, index) => {
    const own = answers[index];
    if (own === undefined) reject(failure(shell, command, "the machine had no room to keep the answer"));
    else if ("hungMs" in own) reject(failure(shell, command, `no end after ${own.hungMs / 1000} s`));
    else resolve(own);
  });
}

function failedWith(exitCode: number, stderr: string): string {
  return `exit code ${exitCode}, ${stderr.trim() || "nothing on stderr"}`;
}

function failure({ name }: MachineShell, command: string, seen: string): Failure {
  return new Failure({ tried: `run on ${name}: ${command}`, seen, remedy: "Look at the machine's console in the bundle, or try the command there by hand", exit: exits.invalid });
}
