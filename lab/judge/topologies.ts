import { primaryBackup } from "../topology/primaryBackup.ts";
import type { Topology } from "../topology/topology.ts";

/** Topologies that evidence may name. */
export const topologies: ReadonlyMap<string, Topology> = new Map([[primaryBackup.name, primaryBackup]]);
