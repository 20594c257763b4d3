import type { Observation } from "../evidence/observation.ts";
import { forwardingTable } from "../host/bridges.ts";
import type { MachineShell } from "../machine/shell.ts";
import { observe } from "../observe/observe.ts";
import type { Progress } from "../progress/progress.ts";
import type { Keeper } from "../report/keeper.ts";
import { managementBridge, type Topology } from "../topology/topology.ts";

export interface LookAroundOptions {
  /** Names the folder of the raw answers. */
  readonly moment: string;
  readonly topology: Topology;
  /** Machines that are on. */
  readonly firewalls: readonly MachineShell[];
  readonly endpoints: readonly MachineShell[];
  readonly keeper: Keeper;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Looks at everything that is on, and keeps the raw answers and the daemons' journals. @throws Failure when they cannot be kept; the signal's reason. */
export async function lookAround({ moment, topology, firewalls, endpoints, keeper, progress, signal }: LookAroundOptions): Promise<Observation> {
  using step = progress.step(`look at everything (${moment})`);
  const journals = firewalls.map(async (shell) => {
    const journal = await shell.run("journalctl --boot --output=short-precise --no-pager", { signal });
    await keeper.save(`journals/${moment}/${shell.name}.txt`, journal.stdout + journal.stderr);
  });
  const [observation] = await Promise.all([
    observe({
      moment,
      firewalls,
      endpoints,
      bridges: topology.bridges.filter((bridge) => bridge !== managementBridge),
      readForwarding: forwardingTable,
      save: keeper.save,
      signal,
    }),
    ...journals,
  ]);
  step.done();
  return observation;
}
