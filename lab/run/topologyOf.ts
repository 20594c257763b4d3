import { promisesOf } from "../config/promises.ts";
import { topologies } from "../judge/topologies.ts";
import type { PairTopology } from "../topology/topology.ts";

/** The topology that a config tree is for, by its own word. @throws Failure (usage) when its `fwlab.json` cannot be read, or says something else. */
export async function topologyOf(tree: string): Promise<PairTopology> {
  const { topology: name } = await promisesOf(tree);
  const topology = topologies.get(name);
  if (topology === undefined) throw new RangeError(`config trees may be for ${name}, but nobody knows that topology`);
  return topology;
}
