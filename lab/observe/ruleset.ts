import { z } from "zod";
import type { DropCounter } from "../evidence/observation.ts";
import { parsedJson } from "./parsed.ts";
import { dropOf, handsAllTo, jumpTargets, matchesAll, returns, type Expression } from "./rule.ts";

const chainSchema = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});
const ruleSchema = z.object({
  family: z.string(),
  table: z.string(),
  chain: z.string(),
  handle: z.number().int(),
  comment: z.string().optional(),
  expr: z.array(z.record(z.string(), z.unknown())),
});
const counterSchema = z.object({ family: z.string(), table: z.string(), name: z.string(), packets: z.number().int(), bytes: z.number().int() });
const mapSchema = z.object({ family: z.string(), table: z.string(), name: z.string(), elem: z.unknown().optional() });
const answer = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });

type Chain = z.infer<typeof chainSchema>;
type Rule = z.infer<typeof ruleSchema>;

/** What a ruleset drops of the packets that it should forward. */
export interface ForwardDrops {
  /** Counters of rules that drop or reject, in the order of the ruleset. Named counters once each. */
  readonly counters: DropCounter[];
  /** Places that drop forwarded packets and count none, or count others too: with one of them, the counters do not say what was dropped. */
  readonly uncounted: string[];
}

/**
 * Counters of all rules that drop or reject packets on the forward hook, in base chains and in whatever they jump to, out of `nft -j list ruleset`.
 * A rule is named by its comment, else `family table chain handle N`. A base chain with policy drop counts nothing by itself:
 * unless its last rule matches all and decides, or jumps to a chain whose last rule does, it is in `uncounted`.
 * @throws Failure when the answer has another form. Source: libnftables-json(5).
 */
export function parseRuleset(text: string): ForwardDrops {
  const tool = "nft -j list ruleset";
  const objects = parsedJson(tool, answer, text).nftables;
  const of = <T extends z.ZodType>(kind: string, schema: T): z.infer<T>[] =>
    objects.filter((object) => kind in object).map((object) => parsedJson(tool, schema, JSON.stringify(object[kind])));
  const chains = of("chain", chainSchema);
  const rules = of("rule", ruleSchema);
  const named = new Map(of("counter", counterSchema).map((counter) => [key(counter, counter.name), counter]));
  const maps = new Map(of("map", mapSchema).map((map) => [key(map, `@${map.name}`), map.elem]));

  const forward = reachable(chains, rules, maps);
  const counters: DropCounter[] = [];
  const uncounted: string[] = [];
  const namedByPlace = new Map<string, string>();
  for (const rule of rules.filter((candidate) => forward.has(key(candidate, candidate.chain)))) {
    const drop = dropOf(expressionsOf(rule, maps));
    if (drop === undefined) continue;
    const name = rule.comment ?? `${rule.family} ${rule.table} ${rule.chain} handle ${rule.handle}`;
    if (drop.counter === undefined) uncounted.push(name);
    else if (typeof drop.counter === "string") namedByPlace.set(key(rule, drop.counter), name);
    else counters.push({ rule: name, ...drop.counter });
  }
  for (const [place, rule] of namedByPlace) {
    const counter = named.get(place);
    if (counter === undefined) uncounted.push(rule);
    else counters.push({ rule: `counter ${counter.name}`, packets: counter.packets, bytes: counter.bytes });
  }
  // A named counter that other rules use too counts packets that were not dropped.
  for (const rule of rules) {
    const used = rule.expr.map((expression) => expression["counter"]).find((counter) => typeof counter === "string");
    if (typeof used === "string" && namedByPlace.has(key(rule, used)) && dropOf(expressionsOf(rule, maps)) === undefined) uncounted.push(`counter ${used}`);
  }
  for (const chain of chains.filter((candidate) => candidate.hook === "forward" && candidate.policy === "drop")) {
    const last = rules.filter((rule) => key(rule, rule.chain) === key(chain, chain.name)).at(-1);
    if (last === undefined || !endsAll(last, rules)) uncounted.push(`policy of ${chain.family} ${chain.table} ${chain.name}`);
  }
  return { counters, uncounted };
}

/** The counters of `parseRuleset`, and with them, marked, the places that drop uncounted: with one of them the counters do not say what was dropped. @throws as parseRuleset. */
export function parseDropCounters(text: string): DropCounter[] {
  const { counters, uncounted } = parseRuleset(text);
  return [...counters, ...uncounted.map((rule): DropCounter => ({ rule, packets: 0, bytes: 0, uncounted: true }))];
}

/**
 * Whether no packet gets past a rule: it drops them all, or hands them all to a chain that lets none return, as Firewall Builder's last rule does to log
 * what it drops.
 */
function endsAll(rule: Rule, rules: readonly Rule[]): boolean {
  if (matchesAll(rule.expr)) return true;
  const target = handsAllTo(rule.expr);
  if (target === undefined) return false;
  const chain = rules.filter((candidate) => key(candidate, candidate.chain) === key(rule, target));
  const last = chain.at(-1);
  return last !== undefined && matchesAll(last.expr) && !chain.some(({ expr }) => returns(expr));
}

function key(place: { family: string; table: string }, name: string): string {
  return `${place.family} ${place.table} ${name}`;
}

/** A verdict map may stand in the rule itself, or be named: then its elements are looked up. */
function expressionsOf(rule: Rule, maps: ReadonlyMap<string, unknown>): Expression[] {
  return rule.expr.map((expression) => {
    const vmap = z.object({ vmap: z.object({ data: z.string() }) }).safeParse(expression);
    return vmap.success ? { vmap: maps.get(key(rule, vmap.data.vmap.data)) } : expression;
  });
}

/** Keys of all chains that packets on the forward hook can pass. */
function reachable(chains: readonly Chain[], rules: readonly Rule[], maps: ReadonlyMap<string, unknown>): Set<string> {
  const reached = new Set<string>();
  const open = chains.filter((chain) => chain.hook === "forward").map((chain) => key(chain, chain.name));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    for (const rule of rules) {
      if (key(rule, rule.chain) === next) open.push(...jumpTargets(expressionsOf(rule, maps)).map((target) => key(rule, target)));
    }
  }
  return reached;
}
