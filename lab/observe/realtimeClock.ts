import type { Clock } from "../evidence/ledger.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import type { FollowingShell } from "../machine/shell.ts";

/** Answers every line with the time of day in microseconds' resolution. Source: bash(1), EPOCHREALTIME; its decimal point is the locale's. */
export const clockCommand = `LC_ALL=C exec bash -c 'while read -r line; do echo "$EPOCHREALTIME"; done'`;

const rounds = 12;
/** Milliseconds for all rounds. An emulated machine whose processor is taken answers within tens of milliseconds each. */
const withinMs = 10_000;

/** A machine's time of day, out of a line of `clockCommand`, in milliseconds since the epoch. Undefined when it is none. */
export function parseRealtime(line: string): number | undefined {
  return /^\d{9,}\.\d{6}$/u.test(line) ? Number(line) * 1000 : undefined;
}

/**
 * A machine's time of day against the host's epoch clock, by the shortest of several round trips of one line each over SSH: its error is half
 * of that one. One process of the guest answers them all, so that starting it is in no round trip.
 * @param name the clock's name: `fw-1/realtime`, or another once the machine was switched on again.
 * @throws Failure when the machine does not answer, or something else than a time; the signal's reason.
 */
export async function measureRealtime(shell: FollowingShell, name: string, signal?: AbortSignal): Promise<Clock> {
  const failure = (seen: string): Failure =>
    new Failure({ tried: `read the clock of ${shell.name}`, seen, remedy: "bash 5 must be on the machine: its EPOCHREALTIME is read", exit: exitCode.invalid });
  const deadline = AbortSignal.timeout(withinMs);
  let answered: ((line: string) => void) | undefined;
  await using command = await shell.follow(clockCommand, { onLine: (line) => answered?.(line), signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]) });
  let best: Clock | undefined;
  for (let round = 0; round < rounds; round += 1) {
    const answer = new Promise<{ line: string; receivedMs: number }>((resolve) => (answered = (line) => resolve({ line, receivedMs: performance.now() })));
    // Date.now() cuts off the fraction of the millisecond: half of one is the best guess, and half of one its error.
    const measuredAtMs = Date.now();
    const sentMs = performance.now();
    command.write("\n");
    const got = await Promise.race([answer, command.ended]);
    signal?.throwIfAborted();
    if (!("line" in got)) throw failure(deadline.aborted ? `no answer within ${withinMs / 1000} s` : `it ended${got.stderr === "" ? "" : `: ${got.stderr.trim()}`}`);
    const toldMs = parseRealtime(got.line);
    if (toldMs === undefined) throw failure(`it said ${JSON.stringify(got.line.slice(0, 80))}`);
    const halfMs = (got.receivedMs - sentMs) / 2;
    if (best === undefined || halfMs + 0.5 < best.errorMs) best = { clock: name, offsetMs: measuredAtMs + 0.5 + halfMs - toldMs, errorMs: halfMs + 0.5, measuredAtMs };
  }
  if (best === undefined) throw new RangeError("no round trip was made");
  return best;
}
