import { conntrackdPath } from "../config/daemonPaths.ts";
import { fileAt, type NodeFiles } from "../config/nodeFiles.ts";
import { readUnits } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, type Asking } from "./asking.ts";
import { endless, findingsFrom, type Checker, type Complaint } from "./complaint.ts";

export const conntrackdChecker: Checker = {
  id: "conntrackd-check",
  causes: "conntrackd does not start, or goes on without it: states are not replicated as the file says",
  remedy: "Mend the line; conntrackd.conf(5) tells what may stand there",
  explains: ["replicated-before", "state-on-survivor", "flows-survive"],
};

/** What the daemon would end at, though its parser goes on (conntrack-tools 1.4.7, read_config_yy.y, channel.c). */
const fatal = /is an invalid interface|is not a valid IPv[46] address|can't open config file/u;

/**
 * conntrackd's own parser. It has no test mode; asked for statistics (-s) it reads its file as the daemon does, and ends when it finds no daemon to ask:
 * that complaint is no one's fault.
 */
export async function checkConntrackd(asking: Asking, node: NodeFiles): Promise<Finding[]> {
  const path = conntrackdPath(readUnits(node));
  const file = fileAt(node, path);
  if (file === undefined) return [];
  const answer = await ask(asking, `conntrackd -C ${quoted(path)} -s`);
  if (answer.endless) return [endless(node, file, answer)];
  return findingsFrom(node, conntrackdChecker, conntrackdComplaints(answer.output, path, file.lines));
}

/** conntrackd's log lines: `[time] (pid=N) [ERROR] …`. A complaint that names no line is looked for by the word that it quotes. */
export function conntrackdComplaints(output: string, path: string, lines: readonly string[]): Complaint[] {
  return [...output.matchAll(/^\[[^\]]*\] \(pid=\d+\) \[(ERROR|warning)\] (.*)$/gmu)].flatMap(([, level, text = ""]) => {
    if (text.startsWith("can't connect: is conntrackd running?")) return [];
    const told = /in line \((\d+)\)/u.exec(text)?.[1];
    const severity = level === "ERROR" || fatal.test(text) ? ("error" as const) : /deprecated|obsolete/iu.test(text) ? ("hint" as const) : ("warning" as const);
    return [{ path, line: told === undefined ? lineWith(text, lines) : Number(told), text: `conntrackd: ${text}`, severity, certainty: "certain" as const }];
  });
}

function lineWith(text: string, lines: readonly string[]): number | null {
  const word = /`([^']+)'/u.exec(text)?.[1] ?? /^(\S+) is (?:an|not)/u.exec(text)?.[1];
  const found = word === undefined ? [] : lines.flatMap((line, index) => (line.trim().split(/\s+/u).includes(word) && !line.trim().startsWith("#") ? [index + 1] : []));
  return found.length === 1 ? (found[0] ?? null) : null;
}
