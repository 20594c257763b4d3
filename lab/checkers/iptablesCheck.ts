import type { NodeFile, NodeFiles } from "../config/nodeFiles.ts";
import type { Finding } from "../evidence/finding.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, type Asking } from "./asking.ts";
import { endless, findingsFrom, type Checker, type Complaint } from "./complaint.ts";

export const iptablesChecker: Checker = {
  id: "iptables-check",
  causes: "iptables-restore loads a file's table whole or not at all: the node lacks these rules",
  remedy: "Mend the line; `iptables-restore --test FILE` on the node tells whether it loads",
  explains: ["steady-before", "flows-survive", "new-connections"],
};

/** Files in the form of iptables-save: a table begins with `*`, and is committed. */
export function iptablesFiles({ files }: NodeFiles): NodeFile[] {
  return files.filter(({ lines }) => lines.some((line) => /^\*(?:filter|nat|mangle|raw|security)\s*$/u.test(line)) && lines.some((line) => /^(?:\[\d+:\d+\]\s*)?(?:-[AIP]\s|:\S+\s|COMMIT)/u.test(line)) && !lines[0]?.startsWith("#!"));
}

/** `iptables-restore --test`, or that of IPv6, of each file; after the node's sets are there. */
export async function checkIptables(asking: Asking, node: NodeFiles): Promise<Finding[]> {
  const found = iptablesFiles(node).map(async (file) => {
    const tool = /v6|ip6/u.test(file.path) ? "ip6tables-restore" : "iptables-restore";
    const answer = await ask(asking, `${tool} --test ${quoted(file.path)}`);
    if (answer.endless) return [endless(node, file, answer)];
    return answer.exitCode === 0 ? [] : findingsFrom(node, iptablesChecker, iptablesComplaints(answer.output, file.path));
  });
  return (await Promise.all(found)).flat();
}

/** iptables-restore's one error: it stops at the first. */
export function iptablesComplaints(output: string, path: string): Complaint[] {
  const line = /(?:Error occurred at line: |COMMIT expected at line |\bline )(\d+)/u.exec(output)?.[1];
  const text = /^\S*tables-restore(?: v\S+ \(\w+\))?: (.*)$/mu.exec(output)?.[1] ?? output.trim().split("\n")[0] ?? "it does not load";
  return [{ path, line: line === undefined ? null : Number(line), text: `iptables-restore: ${text}`, severity: "error", certainty: "certain" }];
}
