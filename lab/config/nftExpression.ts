import { addressesOf } from "./address.ts";
import { protocolNumber } from "./protocolNumbers.ts";
import { chainId, type Field, type Value } from "./ruleset.ts";

/** A statement or expression of libnftables-json(5): an object with one key. */
export type Expression = Readonly<Record<string, unknown>>;

/** What named sets and maps hold, by `family table name`. */
export type NamedSets = ReadonlyMap<string, { readonly elements: readonly unknown[]; readonly complete: boolean }>;

/** Where a rule stands: the names that it uses are its table's. */
export interface Scope {
  readonly family: string;
  readonly table: string;
  readonly sets: NamedSets;
}

export function isObject(value: unknown): value is Expression {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The elements of `{"set": […]}`, `"@name"`, a list or a single value; and whether these are all that there will be. */
export function elementsOf(value: unknown, { family, table, sets }: Scope): { readonly elements: readonly unknown[]; readonly complete: boolean } {
  if (typeof value === "string" && value.startsWith("@")) return sets.get(chainId(family, table, value.slice(1))) ?? { elements: [], complete: false };
  if (isObject(value) && "set" in value) return { elements: Array.isArray(value["set"]) ? value["set"] : [value["set"]], complete: true };
  return { elements: Array.isArray(value) ? value : [value], complete: true };
}

/** One element as a value of a field; undefined where it is none that this model knows. */
export function valueOf(field: Field, element: unknown): Value | undefined {
  if (element === "*") return { kind: "any" };
  if (isObject(element)) {
    if (isObject(element["elem"])) return valueOf(field, element["elem"]["val"]);
    if (isObject(element["prefix"])) return addressesOf(`${String(element["prefix"]["addr"])}/${String(element["prefix"]["len"])}`);
    if (!Array.isArray(element["range"])) return undefined;
    const [first, last] = element["range"] as readonly unknown[];
    if (field === "saddr" || field === "daddr") return addressesOf(String(first), String(last));
    return typeof first === "number" && typeof last === "number" ? { kind: "numbers", first, last } : undefined;
  }
  if (typeof element !== "string" && typeof element !== "number") return undefined;
  return scalar(field, element);
}

function scalar(field: Field, element: string | number): Value | undefined {
  switch (field) {
    case "saddr":
    case "daddr":
      return addressesOf(String(element));
    case "protocol":
    case "sport":
    case "dport": {
      const number = typeof element === "number" ? element : field === "protocol" ? protocolNumber(element) : undefined;
      return number === undefined ? undefined : { kind: "numbers", first: number, last: number };
    }
    case "family":
      return { kind: "text", text: { ipv4: "ip", ipv6: "ip6" }[String(element)] ?? String(element) };
    case "iifname":
    case "oifname":
    case "ctState":
      return { kind: "text", text: String(element) };
  }
}

/** One element of a set over several fields. */
export function tupleOf(fields: readonly Field[], element: unknown): readonly Value[] | undefined {
  const bare = isObject(element) && isObject(element["elem"]) ? element["elem"]["val"] : element;
  const parts: readonly unknown[] = fields.length === 1 ? [bare] : isObject(bare) && Array.isArray(bare["concat"]) ? bare["concat"] : [];
  if (bare === "*") return fields.map(() => ({ kind: "any" }));
  if (parts.length !== fields.length) return undefined;
  const values = fields.map((field, index) => valueOf(field, parts[index]));
  return values.includes(undefined) ? undefined : values.filter((value) => value !== undefined);
}

/** An expression in a form that is equal for equal rules: named sets by what they hold. */
export function textOf(expression: unknown, scope: Scope): string {
  return JSON.stringify(expression, (_key, value: unknown) => {
    const named = typeof value === "string" && value.startsWith("@") ? scope.sets.get(chainId(scope.family, scope.table, value.slice(1))) : undefined;
    return named === undefined ? value : { [String(value)]: named.complete ? named.elements : [] };
  });
}
