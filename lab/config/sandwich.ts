import type { SandwichTopology } from "../topology/sandwich.ts";
import { readNodeFiles, type NodeFiles } from "./nodeFiles.ts";

/** The files of a sandwich's machines, in the topology's order, as config trees give them. */
export interface SandwichFiles {
  readonly topology: SandwichTopology;
  readonly nodes: readonly NodeFiles[];
}

/** Reads what a sandwich's machines get from these trees, lowest first. @throws Failure (usage) when a tree cannot be read. */
export async function readSandwich(topology: SandwichTopology, trees: readonly string[]): Promise<SandwichFiles> {
  const nodes: NodeFiles[] = [];
  for (const { name } of topology.machines) nodes.push(await readNodeFiles(trees, name));
  return { topology, nodes };
}
