import type { NodeConfig, PairConfig } from "../config/pair.ts";
import type { Place } from "../config/nodeFiles.ts";
import type { Finding } from "../evidence/finding.ts";

/** Looks at what both nodes' files say, and tells what is wrong with it. Pure, and never throws. */
export type Rule = (pair: PairConfig) => Finding[];

/** A finding as a rule tells it; `at` is where, `also` the other places. */
export interface Told extends Omit<Finding, "file" | "line" | "machine" | "explains" | "also"> {
  readonly node: Pick<NodeConfig, "machine">;
  readonly at: Place;
  readonly explains?: readonly string[];
  readonly also?: readonly (Place | undefined)[];
}

export function tell({ node, at, explains = [], also = [], ...rest }: Told): Finding {
  const others = also.filter((place) => place !== undefined).map(({ file, line }) => ({ file, line }));
  return { ...rest, machine: node.machine, file: at.file, line: at.line, explains: [...explains], also: others };
}

/** Where a file that is missing should be: in the machine's own folder. */
export function missingAt({ machine }: Pick<NodeConfig, "machine">, path: string): Place {
  return { file: `${machine}${path}`, line: null };
}

/** Each firewall with the other one. */
export function eachWithPeer({ nodes }: PairConfig): { readonly node: NodeConfig; readonly peer: NodeConfig }[] {
  return nodes.flatMap((node) => nodes.filter((peer) => peer !== node).map((peer) => ({ node, peer })));
}

/** The two firewalls once, in the topology's order. */
export function bothOf({ nodes: [first, second] }: PairConfig): { readonly first: NodeConfig; readonly second: NodeConfig } | undefined {
  return first === undefined || second === undefined ? undefined : { first, second };
}

/** What a run shows when states are not on the survivor. */
export const lostStates = ["flows-survive", "state-on-survivor", "no-drops-on-survivor", "replicated-before"] as const;

/** What a run shows when the virtual addresses do not come over. */
export const lostAddresses = ["vips-moved", "flows-survive", "outage-in-bound", "new-connections", "steady-before", "fault-bit"] as const;
