import { text } from "node:stream/consumers";
import { extract } from "tar-stream";
import { quoted } from "./quoted.ts";
import type { CommandResult } from "./shell.ts";

/** Whether commands run at once, or each when the one before has ended. */
export type Order = "side by side" | "one after the other";

export interface Asked {
  readonly command: string;
  readonly timeoutMs: number;
}

/** A command that was ended, because it had not ended by itself. */
export interface Hung {
  readonly hungMs: number;
}

/** The lab's own folder on a machine: no config tree lays anything there. */
const machineFolder = "/run/fwlab";

/** A command that prints more than this, in blocks of 512 bytes, is ended for it: its answer would fill the machine's memory. */
const mostBlocks = 131_072;

/** Exit codes of timeout(1) for a command that it ended, politely or not. */
const endedByTimeout = [124, 137];

/**
 * A command line for a POSIX shell that runs commands, each by a shell of its own, and prints a tar archive of what each printed on which output, and
 * how and when it ended: an archive tells its files' lengths, so whatever a command prints is taken for nothing else.
 * @param folder where the answers lie meanwhile.
 */
export function togetherCommand(asked: readonly Asked[], order: Order, folder = machineFolder): string {
  const background = order === "side by side" ? " &" : "";
  return [
    `d=$(mktemp -d ${folder}/asked.XXXXXX) || exit 1`,
    `trap 'rm -rf "$d"' EXIT`,
    `ulimit -f ${mostBlocks}`,
    'asked() { read -r begin rest </proc/uptime; timeout -k 1 "$2" sh -c "$3" </dev/null >"$d/$1.out" 2>"$d/$1.err"; code=$?; read -r end rest </proc/uptime; echo "$code $begin $end" >"$d/$1.end"; }',
    ...asked.map(({ command, timeoutMs }, index) => `asked ${index} ${timeoutMs / 1000} ${quoted(command)}${background}`),
    "wait",
    'tar -cf - -C "$d" .',
  ].join("\n");
}

/**
 * The answers in what `togetherCommand` printed, in the order of the commands. Undefined of a command whose answer is not whole: its end is written last, where there is room.
 * @throws when it is no such archive.
 */
export async function answersIn(archive: Buffer, asked: readonly Asked[]): Promise<(CommandResult | Hung | undefined)[]> {
  const files = new Map<string, string>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) files.set(entry.header.name.replace(/^\.\//u, ""), await text(entry));
  return asked.map(({ timeoutMs }, index) => {
    const [, code, begin, end] = /^(\d+) ([\d.]+) ([\d.]+)\n$/u.exec(files.get(`${index}.end`) ?? "") ?? [];
    const [stdout, stderr] = [files.get(`${index}.out`), files.get(`${index}.err`)];
    if (code === undefined || stdout === undefined || stderr === undefined) return undefined;
    const tookMs = Math.round((Number(end) - Number(begin)) * 1000);
    if (endedByTimeout.includes(Number(code)) && tookMs >= timeoutMs) return { hungMs: timeoutMs };
    return { stdout, stderr, exitCode: Number(code), tookMs };
  });
}
