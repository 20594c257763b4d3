import type { Look } from "../evidence/observation.ts";
import { messageOf } from "../failure/failure.ts";
import type { MachineShell } from "../machine/shell.ts";

/** How long one view may take: a machine under emulation, with its processor taken by traffic, answers within seconds. */
const viewTimeoutMs = 30_000;

export interface LookOptions {
  /** The moment that is looked at; names the folder of the raw answers. */
  readonly label: string;
  /** Keeps a raw answer in the bundle. */
  readonly save: (relativePath: string, text: string) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** A tool's raw answer, with the reason when it is none. */
export interface RawAnswer {
  readonly raw: string;
  readonly failed?: string;
}

/** Runs a command on a machine and parses its answer. An exit code other than 0 is a failed look, whatever was printed. */
export function look<T>(shell: MachineShell, view: string, command: string, parse: (text: string) => T, options: LookOptions): Promise<Look<T>> {
  const read = async (): Promise<RawAnswer> => {
    const answer = await shell.run(command, { timeoutMs: viewTimeoutMs, ...(options.signal && { signal: options.signal }) });
    if (answer.exitCode === 0) return { raw: answer.stdout };
    const failed = `${command.length > 60 ? view : command} on ${shell.name}: exit code ${answer.exitCode}: ${lastLine(answer.stderr)}`;
    return { raw: `${answer.stdout}\n--- exit code ${answer.exitCode}, stderr:\n${answer.stderr}`, failed };
  };
  return lookInto(shell.name, view, read, parse, options);
}

/**
 * Reads a raw answer, keeps it, and parses it.
 * @throws whatever `save` throws, and the signal's reason when it has aborted: then nobody waits for looks any more.
 */
export async function lookInto<T>(machine: string, view: string, read: () => Promise<RawAnswer>, parse: (text: string) => T, { label, save, signal }: LookOptions): Promise<Look<T>> {
  const source = `observations/${label}/${machine}/${view}.txt`;
  const atMs = Date.now();
  let answer: RawAnswer;
  try {
    answer = await read();
  } catch (error) {
    signal?.throwIfAborted();
    answer = { raw: `--- no answer: ${messageOf(error)}\n`, failed: messageOf(error) };
  }
  await save(source, answer.raw);
  if (answer.failed !== undefined) return { ok: false, atMs, source, error: answer.failed };
  try {
    return { ok: true, atMs, source, data: parse(answer.raw) };
  } catch (error) {
    return { ok: false, atMs, source, error: messageOf(error) };
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
