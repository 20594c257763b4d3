import { z } from "zod";
import { actionOf } from "./nftAction.ts";
import { textOf } from "./nftExpression.ts";
import { matchesOf, type NamedSets } from "./nftMatch.ts";
import { chainId, hooks, type Chain, type Rule } from "./ruleset.ts";

const answer = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });
const chainSchema = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  type: z.string().optional(),
  hook: z.string().optional(),
  prio: z.number().optional(),
  policy: z.enum(["accept", "drop"]).optional(),
});
const ruleSchema = z.object({ family: z.string(), table: z.string(), chain: z.string(), comment: z.string().optional(), expr: z.array(z.record(z.string(), z.unknown())) });
const setSchema = z.object({ family: z.string(), table: z.string(), name: z.string(), flags: z.array(z.string()).default([]), elem: z.array(z.unknown()).default([]) });

/** Families whose chains see IPv4 or IPv6 packets on their way. */
const families = z.enum(["ip", "ip6", "inet"]);

/**
 * The chains of `nft -j list ruleset` that see IPv4 and IPv6 packets. What this model does not follow becomes a match or an action that is untold.
 * @param foreign tables that iptables made, as `ip filter`: nft does not tell their rules in full. See readIptablesSave.
 * @throws ZodError or SyntaxError when the answer has another form. Source: libnftables-json(5).
 */
export function readNftJson(text: string, foreign: ReadonlySet<string> = new Set()): Chain[] {
  const objects = answer.parse(JSON.parse(text)).nftables;
  const of = <T extends z.ZodType>(kind: string, schema: T): z.infer<T>[] => objects.filter((object) => kind in object).map((object) => schema.parse(object[kind]));
  const sets: NamedSets = new Map(
    [...of("set", setSchema), ...of("map", setSchema)].map(({ family, table, name, flags, elem }) => [
      chainId(family, table, name),
      // Packets and timers change what is in it.
      { elements: elem, complete: !flags.includes("dynamic") && !flags.includes("timeout") },
    ]),
  );
  const rules = of("rule", ruleSchema);
  return of("chain", chainSchema).flatMap((chain) => {
    const family = families.safeParse(chain.family);
    if (!family.success || foreign.has(`${chain.family} ${chain.table}`)) return [];
    const own = rules.filter((rule) => rule.family === chain.family && rule.table === chain.table && rule.chain === chain.name);
    const { table, name } = chain;
    return [{ id: chainId(family.data, table, name), family: family.data, table, name, tool: "nft" as const, base: baseOf(chain), rules: own.map((rule) => ruleOf(rule, sets)) }];
  });
}

function baseOf({ type, hook, prio, policy }: z.infer<typeof chainSchema>): Chain["base"] {
  const known = hooks.find((name) => name === hook);
  return known && { type: type === "nat" ? "nat" : "filter", hook: known, priority: prio ?? 0, policy: policy ?? "accept" };
}

function ruleOf(rule: z.infer<typeof ruleSchema>, sets: NamedSets): Rule {
  const scope = { family: rule.family, table: rule.table, sets };
  const told = rule.expr.filter((expression) => !("counter" in expression) && !("log" in expression));
  return {
    matches: told.flatMap((expression) => matchesOf(expression, scope)),
    actions: told.flatMap((expression) => actionOf(expression, scope) ?? []),
    text: told.map((expression) => textOf(expression, scope)).join(" "),
    comment: rule.comment,
  };
}

