import type { PairTopology } from "../topology/topology.ts";
import { readConntrackd, type Conntrackd } from "./conntrackd.ts";
import { conntrackdPath, keepalivedPath } from "./daemonPaths.ts";
import { readKeepalived, type Keepalived } from "./keepalived.ts";
import { readNetworks, type Network } from "./networks.ts";
import { readNodeFiles, textAt, type NodeFiles } from "./nodeFiles.ts";
import { promisesOf, type Promises } from "./promises.ts";
import type { Ruleset } from "./ruleset.ts";
import { readSysctls, type Sysctls } from "./sysctls.ts";
import { readUnits, type Unit } from "./units.ts";

/** A firewall pair's files, and its neighbours', as config trees give them. */
export interface PairFiles {
  readonly topology: PairTopology;
  readonly promises: Promises;
  /** The firewalls, in the topology's order. */
  readonly nodes: readonly NodeFiles[];
  /** The endpoints, in the topology's order. */
  readonly endpoints: readonly NodeFiles[];
}

/** A machine's files, and what those say. */
export interface NodeConfig extends NodeFiles {
  /** Undefined where the trees hold no configuration of it. */
  readonly keepalived: Keepalived | undefined;
  readonly conntrackd: Conntrackd | undefined;
  /** Where the daemons look for their configuration: paths in the guest. */
  readonly keepalivedPath: string;
  readonly conntrackdPath: string;
  readonly sysctls: Sysctls;
  readonly networks: readonly Network[];
  readonly units: ReadonlyMap<string, Unit>;
  /** What the guest's kernel has when all is loaded; undefined where no guest was asked. */
  readonly ruleset: Ruleset | undefined;
}

/** What the files of a pair say: what rules look at. */
export interface PairConfig {
  readonly topology: PairTopology;
  readonly promises: Promises;
  readonly nodes: readonly NodeConfig[];
  readonly endpoints: readonly NodeConfig[];
}

/** Reads what a topology's machines get from these trees, lowest first. @throws Failure (usage) when a tree, or its promises, cannot be read. */
export async function readPair(topology: PairTopology, trees: readonly string[]): Promise<PairFiles> {
  const nodes: NodeFiles[] = [];
  const endpoints: NodeFiles[] = [];
  for (const { name, role } of topology.machines) (role === "firewall" ? nodes : endpoints).push(await readNodeFiles(trees, name));
  return { topology, promises: await promisesOf(...trees), nodes, endpoints };
}

/**
 * What the pair's files say. `rulesets` are what the guests' kernels made of each firewall's files, by machine.
 * @throws Failure (usage) when bytes stand where text is due.
 */
export function pairConfig({ topology, promises, nodes, endpoints }: PairFiles, rulesets: ReadonlyMap<string, Ruleset> = new Map()): PairConfig {
  const config = (node: NodeFiles): NodeConfig => nodeConfig(node, rulesets.get(node.machine));
  return { topology, promises, nodes: nodes.map(config), endpoints: endpoints.map(config) };
}

function nodeConfig(node: NodeFiles, ruleset: Ruleset | undefined): NodeConfig {
  const units = readUnits(node);
  const paths = { keepalivedPath: keepalivedPath(node, units), conntrackdPath: conntrackdPath(units) };
  const keepalived = textAt(node, paths.keepalivedPath);
  const conntrackd = textAt(node, paths.conntrackdPath);
  return {
    ...node,
    ...paths,
    keepalived: keepalived === undefined ? undefined : readKeepalived(node, keepalived),
    conntrackd: conntrackd === undefined ? undefined : readConntrackd(conntrackd),
    sysctls: readSysctls(node),
    networks: readNetworks(node),
    units,
    ruleset,
  };
}
