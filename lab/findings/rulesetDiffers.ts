import type { NodeFiles } from "../config/nodeFiles.ts";
import type { PairConfig } from "../config/pair.ts";
import type { Chain, Ruleset } from "../config/ruleset.ts";
import type { Finding } from "../evidence/finding.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { tell, type Rule } from "./rule.ts";
import { outcomeAt, ruledNodes, usualPlace, type RuledNode } from "./rulesetScene.ts";

/** A ruleset that stops or changes something. */
function filters({ chains }: Ruleset): boolean {
  return chains.some(({ base, rules }) => base !== undefined && (rules.length > 0 || base.policy === "drop"));
}

/** `ruleset-missing`: a node whose kernel has no rules when all that loads rules has run. */
export const rulesetThere: Rule = (pair) => {
  const nodes = ruledNodes(pair);
  const without = nodes.filter(({ ruleset }) => !filters(ruleset));
  const alone = without.length < nodes.length;
  return without.map((node) =>
    tell({
      id: "ruleset-missing", severity: alone ? "error" : "warning", certainty: alone ? "certain" : "likely", node, at: usualPlace(node, undefined), wrong: `nothing that ${node.machine} starts loads a rule: it filters and translates nothing`,
      causes: `while ${node.machine} is active the policy is open, and what the other node translates is not translated`, remedy: "Enable what loads the ruleset on both nodes (nftables.service, or a unit of your own)", explains: ["new-connections", "flows-survive"],
    }),
  );
};

/** `ruleset-differs`: rules that one node has and the other lacks, beyond their own addresses. */
export const rulesetsAgree: Rule = (pair) => {
  const [first, second] = ruledNodes(pair);
  if (first === undefined || second === undefined || !filters(first.ruleset) || !filters(second.ruleset)) return [];
  const [a, b] = [inCommonWords(pair, first, second), inCommonWords(pair, second, first)];
  const ids = [...new Set([...a.keys(), ...b.keys()])].sort();
  return ids.flatMap((id): Finding[] => {
    const [mine, its] = [a.get(id), b.get(id)];
    if (mine?.text === its?.text) return [];
    const at = (node: NodeFiles, own: Said | undefined, other: Said | undefined) => (own === undefined ? usualPlace(node, undefined) : outcomeAt(node, { action: { kind: "accept" }, chain: own.chain, rule: own.chain.rules[own.lines.findIndex((line, index) => line !== other?.lines[index])] }));
    const decides = [mine, its].some((said) => said !== undefined && (said.chain.base?.hook === "forward" || said.chain.base?.type === "nat" || said.chain.base === undefined));
    const wrong = mine === undefined || its === undefined ? `chain ${id} is on ${mine === undefined ? second.machine : first.machine} alone` : `chain ${id} is not the same on both nodes`;
    return [
      tell({
        id: "ruleset-differs", severity: decides ? "warning" : "hint", certainty: "likely", node: second, at: at(second, its, mine), also: [at(first, mine, its)], wrong, causes: "what passes one node may not pass the other: a takeover changes the policy",
        remedy: "Give both nodes the same rules, but for their own addresses", explains: decides ? ["flows-survive", "new-connections", "no-drops-on-survivor"] : [],
      }),
    ];
  });
};

interface Said {
  readonly chain: Chain;
  /** One a rule that does something. */
  readonly lines: readonly string[];
  /** All of it. */
  readonly text: string;
}

/** A node's chains by id, its own addresses and its peer's by role, and without what only tells or counts. */
function inCommonWords({ topology }: PairConfig, node: RuledNode, peer: RuledNode): Map<string, Said> {
  const addresses = (machine: string, role: string) => machineSpec(topology, machine).nics.map(({ address, name }) => [hostPart(address), `${role}-${name}`] as const);
  const roles = [...addresses(node.machine, "own"), ...addresses(peer.machine, "peer")];
  const common = (text: string): string => roles.reduce((words, [address, role]) => words.replace(new RegExp(String.raw`(?<![\d.:a-f])${address.replaceAll(".", String.raw`\.`)}(?![\d.:a-f])`, "gu"), role), text);
  return new Map(
    node.ruleset.chains.map((chain) => {
      const lines = chain.rules.map(({ text }) => common(text));
      return [chain.id, { chain, lines, text: [JSON.stringify(chain.base), ...lines.filter((line) => line !== "")].join("\n") }];
    }),
  );
}
