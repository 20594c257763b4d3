import { allowed } from "./allowed.ts";

/** What a machine is looked at for. */
export const kinds = [
  "files",
  "users",
  "hostname",
  "addresses",
  "links",
  "routes",
  "rules",
  "sysctls",
  "ruleset",
  "modules",
  "units",
  "manager",
  "journal",
  "sockets",
  "vrrp",
  "replication",
] as const;
export type Kind = (typeof kinds)[number];

/** One kind of facts of a machine: what there is, and how it is, in words. */
export type Table = Readonly<Record<string, string>>;

/** All facts of a machine. */
export type Facts = Readonly<Record<Kind, Table>>;

/** All facts of a lab, by machine. */
export type LabFacts = Readonly<Record<string, Facts>>;

/** A table of pairs, sorted; of what is there several times, all are told. */
export function tableOf(pairs: readonly (readonly [what: string, how: string])[]): Table {
  const table = new Map<string, string[]>();
  for (const [what, how] of pairs) table.set(what, [...(table.get(what) ?? []), how]);
  return Object.fromEntries([...table].sort(([one], [other]) => (one < other ? -1 : 1)).map(([what, hows]) => [what, hows.sort().join(" and ")]));
}

const absent = "is not there";

/** Where two labs differ in a kind of facts: both sides of each difference, by machine, and nothing else. What may differ is left out. */
export interface Contrast {
  readonly cold: Readonly<Record<string, Table>>;
  readonly warm: Readonly<Record<string, Table>>;
}

/** Compares two labs in a kind of facts. */
export function contrast(kind: Kind, cold: LabFacts, warm: LabFacts): Contrast {
  const machines = [...new Set([...Object.keys(cold), ...Object.keys(warm)])].sort();
  const sides = machines.map((machine) => {
    const [one, other] = [cold[machine]?.[kind] ?? {}, warm[machine]?.[kind] ?? {}];
    const whats = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
    const different = whats.filter((what) => one[what] !== other[what] && !mayDiffer(kind, what));
    const side = (table: Table): Table => Object.fromEntries(different.map((what) => [what, table[what] ?? absent]));
    return { machine, cold: side(one), warm: side(other), differs: different.length > 0 };
  });
  const differing = sides.filter(({ differs }) => differs);
  return {
    cold: Object.fromEntries(differing.map(({ machine, cold: side }) => [machine, side])),
    warm: Object.fromEntries(differing.map(({ machine, warm: side }) => [machine, side])),
  };
}

function mayDiffer(kind: Kind, what: string): boolean {
  return allowed.some((exception) => exception.kind === kind && exception.what.test(what));
}
