import type { TroubledUnit } from "../evidence/comingUp.ts";
import { messageOf } from "../failure/failure.ts";
import type { MachineShell } from "../machine/shell.ts";
import { troubledUnits } from "../observe/units.ts";
import type { Progress } from "../progress/progress.ts";
import type { Keeper } from "../report/keeper.ts";
import type { PairTopology } from "../topology/topology.ts";
import type { OpenFlows } from "../traffic/openFlows.ts";
import { waitUntil } from "./waitUntil.ts";
import { ownershipLook, replicaPlaceOf, replicationLook, type ReplicaPlace, type StateLook } from "./watchStates.ts";

const steadyWithinMs = 120_000;
const replicatedWithinMs = 30_000;

interface Asking {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Waits until `owner` alone of the firewalls, all that are up, holds the virtual addresses. What was seen is for the checks to judge. @throws as waitUntil. */
export function untilOwned(owner: string, firewalls: () => readonly MachineShell[], topology: PairTopology, { progress, signal }: Asking): Promise<StateLook & { readonly lastUnreachedAtMs: number | undefined }> {
  return waitUntil({
    what: `${owner} to hold the virtual addresses`,
    machine: owner,
    look: async () => ({ ...(await ownershipLook(owner, firewalls(), topology, signal)), value: undefined }),
    within: steadyWithinMs,
    progress,
    signal,
  });
}

/**
 * Waits until the state of every flow is where a firewall keeps the other's: its external cache, or the kernel's table where it has none. As long as that can be read; the checks judge what was seen.
 * @param within milliseconds. @throws as waitUntil.
 */
export async function untilReplicated(
  shell: MachineShell,
  open: OpenFlows,
  { keeper, within = replicatedWithinMs, progress, signal }: Asking & { readonly keeper: Keeper; readonly within?: number | undefined },
): Promise<StateLook & { readonly place: ReplicaPlace }> {
  const place = await replicaPlaceOf(shell, (text) => keeper.save(`observations/conntrackd/${shell.name}.txt`, text), signal);
  const flows = open.flows.map(({ id, spec, tuple, natTuple }) => ({ id, kind: spec.kind, tuple, natTuple }));
  const last = await waitUntil({
    what: "the flows' states to be replicated",
    machine: shell.name,
    look: async () => {
      const seen = await replicationLook(shell, place, flows, signal);
      return { reached: seen.reached || !seen.readable, seen: seen.seen, value: undefined };
    },
    within,
    progress,
    signal,
  });
  return { ...last, place };
}

/** The units in trouble of firewalls, and the bundle's files of that. A firewall that does not answer is told, and has none. @throws the signal's reason. */
export async function unitsInTrouble(
  firewalls: readonly MachineShell[],
  { keeper, progress, signal }: Asking & { readonly keeper: Keeper },
): Promise<{ readonly units: TroubledUnit[]; readonly files: string[] }> {
  const files: string[] = [];
  const units = firewalls.map(async (shell) => {
    const save = async (name: string, text: string): Promise<void> => {
      const file = `observations/units/${shell.name}/${name}`;
      await keeper.save(file, text);
      files.push(file);
    };
    try {
      return await troubledUnits(shell, save, signal);
    } catch (error) {
      signal.throwIfAborted();
      progress.note(`${shell.name} does not tell its units: ${messageOf(error)}`);
      return [];
    }
  });
  return { units: (await Promise.all(units)).flat(), files };
}
