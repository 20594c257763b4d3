import { primaryBackup, primaryBackupIpv6 } from "../topology/primaryBackup.ts";
import type { PairTopology } from "../topology/topology.ts";

/** Topologies that evidence may name. */
export const topologies: ReadonlyMap<string, PairTopology> = new Map([primaryBackup, primaryBackupIpv6].map((topology) => [topology.name, topology]));
