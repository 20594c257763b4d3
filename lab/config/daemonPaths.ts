import { fileAt, type NodeFiles } from "./nodeFiles.ts";
import { valuesOf, type Unit } from "./units.ts";

/** The value of a program's option, in one of its spellings, in a command line. */
function optionOf(commandLine: string, spellings: readonly string[]): string | undefined {
  const words = commandLine.split(/[\s"']+/u);
  for (const [index, word] of words.entries()) {
    if (spellings.includes(word)) return words[index + 1];
    const joined = spellings.find((spelling) => spelling.startsWith("--") && word.startsWith(`${spelling}=`));
    if (joined !== undefined) return word.slice(joined.length + 1);
  }
  return undefined;
}

function commandLines(units: ReadonlyMap<string, Unit>, name: string): string[] {
  return valuesOf(units.get(name)?.settings ?? [], "Service", "ExecStart").map(({ value }) => value);
}

/** Where keepalived looks for its configuration: `-f` of its unit, or of DAEMON_ARGS in /etc/default/keepalived, which Debian's unit reads. */
export function keepalivedPath(node: NodeFiles, units: ReadonlyMap<string, Unit>): string {
  const defaults = fileAt(node, "/etc/default/keepalived")?.lines.filter((line) => /^\s*DAEMON_ARGS=/u.test(line)) ?? [];
  const found = [...commandLines(units, "keepalived.service"), ...defaults.map((line) => line.replace(/^[^=]*=/u, ""))].map((line) => optionOf(line, ["-f", "--use-file"]));
  return found.find((path) => path !== undefined) ?? "/etc/keepalived/keepalived.conf";
}

/** Where conntrackd looks for its configuration: `-C` of its unit. */
export function conntrackdPath(units: ReadonlyMap<string, Unit>): string {
  const found = commandLines(units, "conntrackd.service").map((line) => optionOf(line, ["-C"]));
  return found.find((path) => path !== undefined) ?? "/etc/conntrackd/conntrackd.conf";
}
