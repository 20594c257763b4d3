import type { Trials } from "../evidence/trials.ts";
import { sandwiches } from "../topology/sandwich.ts";

/** How each trial came by its flows: a pair's are saved with the machines, a sandwich's end in native hosts, which are not. */
export function broughtBy({ topology }: Pick<Trials, "topology">): "restored" | "opened" {
  return sandwiches.has(topology) ? "opened" : "restored";
}
