import { elementsOf, isObject, tupleOf, type Expression, type Scope } from "./nftExpression.ts";
import { questionOf } from "./nftMatch.ts";
import type { Action } from "./ruleset.ts";

/** Statements after which the next one sees the packet as it was, as far as this model goes. */
const goingOn = ["match", "counter", "log", "limit", "quota", "ct count", "mangle", "set", "map", "flow", "meter", "ct helper", "ct timeout", "ct expectation", "secmark", "dup", "continue", "comment"];

/** What a statement does with a packet; undefined where the packet just goes on. */
export function actionOf(expression: Expression, scope: Scope): Action | undefined {
  const [kind, value] = Object.entries(expression)[0] ?? ["continue", null];
  switch (kind) {
    case "accept":
    case "drop":
    case "return":
    case "notrack":
    case "masquerade":
      return { kind };
    case "reject":
      return { kind, how: isObject(value) ? [value["type"], value["expr"]].filter((part) => typeof part === "string").join(" ") : "icmp port-unreachable" };
    case "jump":
    case "goto":
      return isObject(value) ? { kind, chain: String(value["target"]) } : { kind: "untold" };
    case "snat":
    case "dnat":
      return { kind, addresses: isObject(value) ? addressesTold(value["addr"], scope) : undefined };
    case "redirect":
      return { kind: "dnat", addresses: undefined };
    case "vmap":
      return isObject(value) ? mapOf(value, scope) : { kind: "untold" };
    default:
      return goingOn.includes(kind) || isMatch(expression) ? undefined : { kind: "untold" };
  }
}

function mapOf({ key, data }: Expression, scope: Scope): Action {
  const question = questionOf(key);
  if (question === undefined) return { kind: "untold" };
  const { elements, complete } = elementsOf(data, scope);
  const entries = elements.flatMap((element) => {
    const [from, verdict] = Array.isArray(element) ? (element as readonly unknown[]) : [];
    const tuple = tupleOf(question.fields, from);
    return tuple === undefined || !isObject(verdict) ? [] : [{ tuple, action: actionOf(verdict, scope) }];
  });
  return { kind: "map", fields: question.fields, entries, complete: complete && entries.length === elements.length };
}

/** A single address, or those that a map gives; undefined for what is computed. */
function addressesTold(value: unknown, scope: Scope): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  if (!isObject(value) || !isObject(value["map"])) return undefined;
  const { elements, complete } = elementsOf(value["map"]["data"], scope);
  const targets = elements.map((element) => (Array.isArray(element) ? (element[1] as unknown) : undefined));
  return complete && targets.every((target) => typeof target === "string") ? targets : undefined;
}

function isMatch({ xt }: Expression): boolean {
  return isObject(xt) && xt["type"] !== "target";
}
