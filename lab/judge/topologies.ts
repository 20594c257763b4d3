import { primaryBackup, primaryBackupIpv6 } from "../topology/primaryBackup.ts";
import { sandwiches, type SandwichTopology } from "../topology/sandwich.ts";
import type { PairTopology } from "../topology/topology.ts";

/** The pairs that evidence may name. */
export const pairs: ReadonlyMap<string, PairTopology> = new Map([primaryBackup, primaryBackupIpv6].map((topology) => [topology.name, topology]));

/** Every topology that evidence, or a config tree, may name. */
export const topologies: ReadonlyMap<string, PairTopology | SandwichTopology> = new Map<string, PairTopology | SandwichTopology>([...pairs, ...sandwiches]);
