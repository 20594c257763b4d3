import type { NodeFiles, Place } from "./nodeFiles.ts";
import type { Chain, Rule } from "./ruleset.ts";

/** Where a chain is written, and its rules in their order. */
interface ChainSource {
  readonly at: Place;
  readonly rules: readonly Place[];
}

/**
 * Where a rule is written, or, without one, its chain's policy: the n-th rule of a chain is the n-th that the files give to it. Only where a file gives it
 * as many as the kernel has is that sure; else just the file, or undefined where no file of the trees writes the chain.
 */
export function placeOf(node: NodeFiles, chain: Chain, rule: Rule | undefined): Place | undefined {
  for (const file of node.files) {
    const source = chain.tool === "nft" ? nftSource(file.file, file.lines, chain) : iptablesSource(file.file, file.lines, chain);
    if (source === undefined) continue;
    if (rule === undefined) return source.at;
    const index = chain.rules.indexOf(rule);
    return source.rules.length === chain.rules.length ? source.rules[index] : { file: file.file, line: null };
  }
  return undefined;
}

/** A chain's block: `chain NAME {` within `table FAMILY NAME {`, one rule a line. */
function nftSource(file: string, lines: readonly string[], { family, table, name }: Chain): ChainSource | undefined {
  let inTable = false;
  let at: Place | undefined;
  const rules: Place[] = [];
  // Braces of sets within a rule open and close.
  let depth = 0;
  for (const [index, raw] of lines.entries()) {
    const text = raw.replace(/"[^"]*"/gu, '""').replace(/#.*$/u, "").trim();
    const place = { file, line: index + 1 };
    const [, ofFamily, ofTable] = /^table(?:\s+(ip|ip6|inet|arp|bridge|netdev))?\s+(\S+)\s*\{/u.exec(text) ?? [];
    if (ofTable !== undefined) {
      inTable = ofTable === table && (ofFamily ?? "ip") === family;
    } else if (at === undefined) {
      if (!inTable || /^chain\s+(\S+)\s*\{/u.exec(text)?.[1] !== name) continue;
      at = place;
      if (text.endsWith("}")) return { at, rules };
    } else if (depth === 0 && text === "}") {
      return { at, rules };
    } else {
      const isRule = depth === 0 && text !== "" && !/^(?:type\s.*\shook\s|policy\s|comment\s|devices?\s)/u.test(text);
      if (isRule) rules.push(place);
      depth += text.split("{").length - text.split("}").length;
      if (/^type\s.*policy/u.test(text)) at = place;
    }
  }
  return at === undefined ? undefined : { at, rules };
}

/** `-A CHAIN` lines of iptables-save's form, or of a script's calls. */
function iptablesSource(file: string, lines: readonly string[], { family, table, name }: Chain): ChainSource | undefined {
  let current = "";
  let at: Place | undefined;
  const rules: Place[] = [];
  for (const [index, raw] of lines.entries()) {
    const text = raw.trim();
    const place = { file, line: index + 1 };
    current = /^\*(\w+)/u.exec(text)?.[1] ?? current;
    const [, program, options] = /^(?:\S*\/)?(ip6?tables)\s(.*)$/u.exec(text) ?? [];
    const isOther = program !== undefined && (program === "ip6tables") !== (family === "ip6");
    const of = program === undefined ? current : (/(?:^|\s)(?:-t|--table)\s+(\w+)/u.exec(options ?? "")?.[1] ?? "filter");
    if (isOther || of !== table || text.startsWith("#")) continue;
    if (text.startsWith(`:${name} `) || (program !== undefined && new RegExp(String.raw`-P\s+${name}\s`, "u").test(text))) at = place;
    if (new RegExp(String.raw`(?:^|\s)(?:-A|--append)\s+${name}(?:\s|$)`, "u").test(text)) rules.push(place);
  }
  return at === undefined && rules.length === 0 ? undefined : { at: at ?? { file, line: null }, rules };
}
