import { promisesOf } from "../config/promises.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import { pairs } from "../judge/topologies.ts";
import type { PairTopology } from "../topology/topology.ts";

/** The pair's topology that a config tree is for, by its own word. @throws Failure (usage) when its `fwlab.json` cannot be read, says something else, or is a sandwich's. */
export async function topologyOf(tree: string): Promise<PairTopology> {
  const { topology: name } = await promisesOf(tree);
  const topology = pairs.get(name);
  if (topology !== undefined) return topology;
  const seen = `it is for the topology ${name}, by its fwlab.json`;
  throw new Failure({ tried: `take ${tree} for a primary/backup pair's`, seen, remedy: `A ${name} is run by npm start and npm run validate`, exit: exitCode.usage });
}
