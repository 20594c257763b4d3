import { sandwichFlows, sandwichLoad, type SandwichLoadOptions } from "../load/sandwichLoad.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import type { FlowCounts } from "../traffic/flowSpec.ts";
import { directorCutStory } from "./directorStories.ts";
import { firewallCutStory, type FirewallCutOptions } from "./firewallCutStory.ts";
import type { Story } from "./judgedRun.ts";
import type { SandwichRun } from "./sandwichRun.ts";

/** Enough for each mode by each firewall, and a load that two cores carry while they emulate. */
const validationLoad = { flows: 16, held: 60, others: 8, pauseMs: 2_000 } as const;

/** What a run is about: what breaks, and the story of it. */
interface SandwichCut {
  readonly story: Story<SandwichRun>;
  readonly fault: { readonly id: string; readonly target: string };
}

/** What has a substitute in a sandwich loses its power, under so many flows with ledgers and a load: the first of its directors where there are two, else its first firewall. */
export function cutOfSandwich(topology: SandwichTopology, flows: number, load: SandwichLoadOptions, { strike, failback }: Pick<FirewallCutOptions, "strike" | "failback"> = {}): SandwichCut {
  const { directors, firewalls } = topology;
  const [specs, order] = [sandwichFlows(topology, flows), sandwichLoad(topology, load)];
  const fault = (target: string) => ({ id: "power-cut", target });
  if (directors.length > 1) return { story: (run) => directorCutStory(run, { specs, order, ...(strike && { strike }) }), fault: fault(topology.director) };
  const [victim, survivor] = firewalls;
  if (victim === undefined || survivor === undefined) throw new RangeError(`${topology.name} has no two firewalls`);
  return { story: (run) => firewallCutStory(run, { victim, survivor, specs, order, ...(strike && { strike }), ...(failback !== undefined && { failback }) }), fault: fault(victim) };
}

/**
 * What a sandwich is validated by: the same under a small load.
 * @param flows how many flows with ledgers; 16 unless it is said. Only TCP's count: a director balances nothing else.
 */
export function validationOfSandwich(topology: SandwichTopology, flows: number | FlowCounts | undefined): SandwichCut {
  return cutOfSandwich(topology, typeof flows === "number" ? flows : (flows?.tcp ?? validationLoad.flows), validationLoad);
}
