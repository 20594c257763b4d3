import { keepalivedPath } from "../config/daemonPaths.ts";
import { fileAt, type NodeFiles } from "../config/nodeFiles.ts";
import { readUnits } from "../config/units.ts";
import type { Certainty, Finding, Severity } from "../evidence/finding.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, type Asking } from "./asking.ts";
import { endless, findingsFrom, type Checker, type Complaint } from "./complaint.ts";

export const keepalivedChecker: Checker = {
  id: "keepalived-check",
  causes: "keepalived leaves out what it cannot read, and goes on without it or not at all",
  remedy: "Mend the line; `keepalived --config-test` on the node tells what it reads (keepalived.conf(5))",
  explains: ["steady-before", "vips-moved"],
};

/** What keepalived does with what it complains of: it ends, or an instance does not run (keepalived 2.2.7, vrrp.c, vrrp_data.c). */
const fatal = /doesn't exist$|Non-existent interface|No VIP specified|virtual router id must be set|both use VRID|missing '\}'s|open problem|Config files missing|Unable to access script|disabling/u;
/** What it changes without harm, or tells for completeness. */
const harmless = /preempt_delay is incompatible|Truncating auth_pass|SECURITY VIOLATION|default user 'keepalived_script'|deprecated/u;

/** `keepalived --config-test` of the node's configuration. */
export async function checkKeepalived(asking: Asking, node: NodeFiles): Promise<Finding[]> {
  const path = keepalivedPath(node, readUnits(node));
  const file = fileAt(node, path);
  if (file === undefined) return [];
  const answer = await ask(asking, `keepalived --config-test --use-file=${quoted(path)} --log-console --dont-fork --no-syslog`);
  if (answer.endless) return [endless(node, file, answer)];
  return findingsFrom(node, keepalivedChecker, keepalivedComplaints(answer.output, path));
}

/** keepalived's complaints: `(FILE: Line N) …`, `(Line N) …` of the first file, or of no line. It may say the same in each of its readings. */
export function keepalivedComplaints(output: string, path: string): Complaint[] {
  const complaints = output.split("\n").flatMap((said) => {
    const [, file, line, text] = /^\((?:([^():]+): )?Line (\d+)\) (.*)$/u.exec(said) ?? [];
    const whole = text ?? said.trim();
    if (whole === "" || "Started Stopped Keepalived Running Command".split(" ").some((word) => whole.startsWith(word))) return [];
    return [{ path: file ?? path, line: line === undefined ? null : Number(line), text: `keepalived: ${whole}`, ...weight(whole) }];
  });
  // Told once of a line, it needs not be told again of none.
  return complaints.filter(({ line, text }, index) => line !== null || !complaints.some((other, at) => at !== index && other.line !== null && other.text === text));
}

function weight(text: string): { readonly severity: Severity; readonly certainty: Certainty } {
  if (fatal.test(text)) return { severity: "error", certainty: "certain" };
  return harmless.test(text) ? { severity: "hint", certainty: "certain" } : { severity: "warning", certainty: "certain" };
}
