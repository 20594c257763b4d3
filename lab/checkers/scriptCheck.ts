import type { NodeFile, NodeFiles } from "../config/nodeFiles.ts";
import type { Finding } from "../evidence/finding.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, type Asking } from "./asking.ts";
import { endless, findingsFrom, type Checker, type Complaint } from "./complaint.ts";

export const scriptChecker: Checker = {
  id: "script-syntax",
  causes: "the script ends at its first syntax error: what it is to do at a takeover, or at boot, is not done",
  remedy: "Mend the line; `sh -n FILE` on the node tells whether the shell can read it",
  explains: ["state-on-survivor", "flows-survive"],
};

/** Files that say that a shell runs them, and which. */
export function shellScripts({ files }: NodeFiles): { readonly file: NodeFile; readonly shell: string }[] {
  return files.flatMap((file) => {
    const shell = /^#!\s*\S*?(?:\/env\s+)?\b(bash|dash|sh)(?:\s|$)/u.exec(file.lines[0] ?? "")?.[1];
    return shell === undefined ? [] : [{ file, shell }];
  });
}

/** `sh -n`, or that of the shell that a script asks for, of each script. */
export async function checkScripts(asking: Asking, node: NodeFiles): Promise<Finding[]> {
  const scripts = shellScripts(node);
  if (scripts.length === 0) return [];
  // Most are good: one question for all, and one for each only where something is wrong.
  const all = await ask(asking, scripts.map(({ file, shell }) => `${shell} -n ${quoted(file.path)}`).join(" && "));
  if (all.exitCode === 0) return [];
  const found = scripts.map(async ({ file, shell }) => {
    const answer = await ask(asking, `${shell} -n ${quoted(file.path)}`);
    if (answer.endless) return [endless(node, file, answer)];
    return answer.exitCode === 0 ? [] : findingsFrom(node, scriptChecker, scriptComplaints(answer.output, file.path));
  });
  return (await Promise.all(found)).flat();
}

/** dash: `FILE: 4: Syntax error: …`; bash: `FILE: line 4: syntax error …`, and then the line itself. */
export function scriptComplaints(output: string, path: string): Complaint[] {
  const [, line, text] = /: (?:line )?(\d+): (.*)$/mu.exec(output) ?? [];
  return [{ path, line: line === undefined ? null : Number(line), text: text ?? output.trim().split("\n")[0] ?? "the shell cannot read it", severity: "error", certainty: "certain" }];
}
