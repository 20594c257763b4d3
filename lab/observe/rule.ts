import { z } from "zod";

/** One statement or match of a rule, as libnftables-json(5) writes it: an object with one key. */
export type Expression = Readonly<Record<string, unknown>>;

const counts = z.object({ packets: z.number().int(), bytes: z.number().int() });

/** What counts a rule's drops: its own counter, the name of a named one, or nothing that counts just the drops. */
export interface Drop {
  readonly counter: { packets: number; bytes: number } | string | undefined;
}

/**
 * Tells whether a rule drops or rejects, and what counts it. A counter counts the drops only when no match stands after it
 * (statements run in order) and the verdict does not depend on a map.
 * Targets of iptables-nft appear as `{xt: {type: "target", name: "REJECT"}}`; a target that nft cannot translate is taken for no drop.
 */
export function dropOf(expressions: readonly Expression[]): Drop | undefined {
  const verdict = expressions.findIndex(dropsAlways);
  if (verdict === -1) return expressions.some((expression) => "vmap" in expression && holdsDrop(expression["vmap"])) ? { counter: undefined } : undefined;
  const lastMatch = expressions.findLastIndex((expression) => isCondition(expression));
  const counting = expressions.slice(lastMatch + 1, verdict).find((expression) => "counter" in expression);
  const counter = counting?.["counter"];
  if (typeof counter === "string") return { counter };
  const read = counts.safeParse(counter);
  return { counter: read.success ? read.data : undefined };
}

/** Chains that a rule jumps or goes to, those in verdict maps too. */
export function jumpTargets(expressions: readonly Expression[]): string[] {
  return expressions.flatMap((expression) => targetsIn(expression));
}

/** Whether a rule drops every packet that gets to it: no condition, and a verdict that drops. */
export function matchesAll(expressions: readonly Expression[]): boolean {
  return !expressions.some(isCondition) && expressions.some(dropsAlways);
}

/** The chain that a rule without a condition hands every packet to; undefined for any other rule. */
export function handsAllTo(expressions: readonly Expression[]): string | undefined {
  return expressions.some(isCondition) ? undefined : jumpTargets(expressions)[0];
}

/** Whether a rule may send packets back to the chain that they came from. */
export function returns(expressions: readonly Expression[]): boolean {
  return expressions.some((expression) => "return" in expression || "vmap" in expression);
}

function dropsAlways(expression: Expression): boolean {
  if ("drop" in expression || "reject" in expression) return true;
  const target = z.object({ xt: z.object({ type: z.literal("target"), name: z.string() }) }).safeParse(expression);
  return target.success && ["DROP", "REJECT"].includes(target.data.xt.name);
}

function isCondition(expression: Expression): boolean {
  if (["match", "limit", "quota", "ct count", "vmap"].some((name) => name in expression)) return true;
  const xt = z.object({ xt: z.object({ type: z.string(), name: z.string() }).nullable() }).safeParse(expression);
  return xt.success && xt.data.xt?.type !== "target" && xt.data.xt?.name !== "comment";
}

function holdsDrop(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsDrop);
  if (typeof value !== "object" || value === null) return false;
  return "drop" in value || Object.values(value).some(holdsDrop);
}

function targetsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(targetsIn);
  if (typeof value !== "object" || value === null) return [];
  const here = z.object({ target: z.string() });
  return Object.entries(value).flatMap(([name, inner]) => {
    const target = here.safeParse(inner);
    return (name === "jump" || name === "goto") && target.success ? [target.data.target] : targetsIn(inner);
  });
}
