import type { NodeFile } from "../config/nodeFiles.ts";
import type { NodeConfig, PairConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { dataNics } from "./addresses.ts";
import { notifiesOf, scriptsBehind } from "./notifyScripts.ts";
import { bothOf, missingAt, tell, type Rule } from "./rule.ts";

/** Files with rules of packets. */
const rules = /\/nftables\.conf$|\/nftables(?:\.d)?\/|\.nft$|\/iptables\/|rules\.v[46]$|\.rules$|\/ipset/u;

/** What has rules of its own, or is each node's own affair. */
const told = /\/keepalived[^/]*\.conf$|\/keepalived\/conf\.d\/|\/conntrackd\.conf$|\/sysctl\.d\/|\/sysctl\.conf$|\/systemd\/|\/hostname$|\/hosts$|\/ssh\/|\/modules-load\.d\//u;

interface Line {
  readonly text: string;
  readonly line: number;
}

/** The lines that say something, in words that are the same on both nodes: addresses and names by whose they are. Links that carry them keep apart by their bridge. */
function meaning({ lines }: NodeFile, node: NodeConfig, peer: NodeConfig, { topology }: PairConfig): Line[] {
  const names = new Map<string, string>([
    [node.machine, "(own)"],
    [peer.machine, "(peer)"],
    ...dataNics(machineSpec(topology, node.machine)).map(({ address, bridge }) => [hostPart(address), `(own ${bridge})`] as const),
    ...dataNics(machineSpec(topology, peer.machine)).map(({ address, bridge }) => [hostPart(address), `(peer ${bridge})`] as const),
  ]);
  const words = new RegExp(`(?<![\\w.:])(?:${[...names.keys()].map((name) => name.replaceAll(".", String.raw`\.`)).join("|")})(?![\\w:]|\\.\\d)`, "gu");
  return lines.flatMap((text, index) => {
    const said = text.replace(/(^|\s)#(?!!).*$/u, "$1").replace(words, (name) => names.get(name) ?? name).replace(/\s+/gu, " ").trim();
    return said === "" || /^:\w+ .*\[\d+:\d+\]$/u.test(said) ? [] : [{ text: said.replace(/\[\d+:\d+\] ?/u, ""), line: index + 1 }];
  });
}

/** `ruleset-files-differ`, `files-differ`: what must be the same on both nodes, their own names and addresses set aside. */
export const filesDiffer: Rule = (pair) => {
  const both = bothOf(pair);
  if (both === undefined) return [];
  const { first, second } = both;
  const scripts = [first, second].flatMap((node) => scriptsBehind(node, notifiesOf(node.keepalived).flatMap(({ command }) => [...command])).map(({ path }) => path));
  const byPath = (node: NodeConfig): Map<string, NodeFile> => new Map(node.files.map((file) => [file.path.replaceAll(node.machine, "(own)"), file]));
  const [left, right] = [byPath(first), byPath(second)];
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((path): Finding[] => {
    const [a, b] = [left.get(path), right.get(path)];
    const isRules = rules.test(path);
    const isScript = a !== undefined && scripts.includes(a.path);
    if (!isRules && !isScript && told.test(path)) return [];
    const kind = isRules ? { id: "ruleset-files-differ", causes: "the survivor does not let through, refuse or translate what the other did", explains: ["flows-survive", "no-drops-on-survivor", "new-connections", "state-on-survivor"] } : { id: "files-differ", causes: isScript ? "the nodes do not do the same when they become active" : "the nodes are not the same", explains: [] };
    const shared = { ...kind, severity: isRules || isScript ? "warning" : "hint", certainty: "likely", remedy: "Let both nodes have the same, but for their own addresses" } as const;
    if (a === undefined || b === undefined) {
      const [has, lacks, file] = a === undefined ? [second, first, b] : [first, second, a];
      // A script that only one node calls has findings of its own.
      if (file === undefined || isScript) return [];
      return [tell({ ...shared, node: lacks, at: missingAt(lacks, file.path), also: [{ file: file.file, line: null }], wrong: `${has.machine} has ${file.path}, and ${lacks.machine} does not` })];
    }
    if (a.content.equals(b.content)) return [];
    const [mine, other] = [meaning(a, first, second, pair), meaning(b, second, first, pair)];
    if (a.binary || b.binary) return [tell({ ...shared, node: second, at: { file: b.file, line: null }, also: [{ file: a.file, line: null }], wrong: `${b.path} is not the same on both nodes` })];
    const at = other.findIndex(({ text }, index) => text !== mine[index]?.text);
    const [here, there] = at === -1 ? [undefined, mine[other.length]] : [other[at], mine[at]];
    if (here === undefined && there === undefined) return [];
    return [
      tell({
        ...shared, node: second, at: { file: b.file, line: here?.line ?? null }, also: [{ file: a.file, line: there?.line ?? null }],
        wrong: `${b.path} differs between the nodes: ${here === undefined ? "the end" : `“${here.text}”`} on ${second.machine}, ${there === undefined ? "the end" : `“${there.text}”`} on ${first.machine}`,
      }),
    ];
  });
};
