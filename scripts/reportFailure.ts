import { exitCode, Failure, type ExitCode } from "../lab/failure/failure.ts";
import { Interrupted } from "./interruption.ts";

/** Says on standard error what went wrong, in one line, then what is known in detail, indented. Gives the exit code for it. */
export function reportFailure(thrown: unknown, write: (text: string) => unknown = (text) => process.stderr.write(text)): ExitCode {
  const interruption = interruptionIn(thrown);
  if (interruption !== undefined) {
    write(`fwlab: ${interruption.message}\n`);
    return exitCode.invalid;
  }
  if (thrown instanceof Failure) {
    write([`fwlab: ${thrown.message}`, ...thrown.details.map((line) => `  ${line}`), ""].join("\n"));
    return thrown.exit;
  }
  // Nobody foresaw it, so it is a mistake of fwlab's, and whoever mends it wants the stack.
  write(`fwlab: unexpected: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  return exitCode.invalid;
}

/** The interruption that made something fail, if one did: Node's timers, execa and our own failures name what made them fail as their cause. */
function interruptionIn(thrown: unknown): Interrupted | undefined {
  if (thrown instanceof Interrupted) {
    return thrown;
  }
  return thrown instanceof Error && thrown.cause !== undefined ? interruptionIn(thrown.cause) : undefined;
}
