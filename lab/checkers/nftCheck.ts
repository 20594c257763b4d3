import { fileAt, type NodeFile, type NodeFiles } from "../config/nodeFiles.ts";
import { readUnits } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, type Asking } from "./asking.ts";
import { endless, findingsFrom, type Checker, type Complaint } from "./complaint.ts";

/** What Debian's nftables.service loads. */
export const usualRuleset = "/etc/nftables.conf";

export const nftChecker: Checker = {
  id: "nft-check",
  causes: "nft loads a file whole or not at all: the node has no ruleset of this file",
  remedy: "Mend the line; `nft -c -f FILE` on the node tells whether it loads",
  explains: ["steady-before", "flows-survive", "new-connections"],
};

/** The rulesets that nft is given: the usual one, those that units name, and those that are programs of nft's. */
export function nftFiles(node: NodeFiles): NodeFile[] {
  const named = [...readUnits(node).values()].flatMap(({ settings }) => settings.flatMap(({ key, value }) => (key.startsWith("Exec") ? [.../\bnft\b[^;|]*?\s-f\s+(\S+)/u.exec(value)?.slice(1) ?? []] : [])));
  const files = [usualRuleset, ...named].map((path) => fileAt(node, path)).filter((file) => file !== undefined);
  const programs = node.files.filter(({ lines: [first = ""] }) => /^#!\S*\bnft\b/u.test(first));
  return [...new Set([...files, ...programs])];
}

/** `nft -c` of each ruleset. */
export async function checkNft(asking: Asking, node: NodeFiles): Promise<Finding[]> {
  const found = nftFiles(node).map(async (file) => {
    const answer = await ask(asking, `nft -c -f ${quoted(file.path)}`);
    if (answer.endless) return [endless(node, file, answer)];
    return answer.exitCode === 0 ? [] : findingsFrom(node, nftChecker, nftComplaints(answer.output, file.path));
  });
  return (await Promise.all(found)).flat();
}

/**
 * nft's errors: `FILE:LINE:COLUMNS: Error: …`, each followed by the line and a mark below it. Of many, the first ones: a syntax error makes others after it.
 * @param path of the file that was checked, for what is said of no line.
 */
export function nftComplaints(output: string, path: string): Complaint[] {
  const errors = [...output.matchAll(/^(\S[^:\n]*):(\d+):\d+-\d+: Error: (.*)$/gmu)].map(([, file = path, line = "0", text = ""]) => ({
    path: file === "internal" ? path : file,
    line: Number(line) === 0 ? null : Number(line),
    text: `nft: ${text}`,
    severity: "error" as const,
    certainty: "certain" as const,
  }));
  if (errors.length > 0) return errors.slice(0, mostErrors);
  return [{ path, line: null, text: `nft: ${output.trim().split("\n")[0] ?? "it does not load"}`, severity: "error", certainty: "certain" }];
}

const mostErrors = 5;
