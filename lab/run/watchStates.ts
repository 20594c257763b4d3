import { byOriginal, entryFault } from "../judge/tuples.ts";
import type { FlowLedger } from "../evidence/ledger.ts";
import type { MachineShell } from "../machine/shell.ts";
import { parseAddresses } from "../observe/addresses.ts";
import { parseCache } from "../observe/conntrack.ts";
import { injectsStates } from "../observe/conntrackd.ts";
import type { PairTopology } from "../topology/topology.ts";

/** One look at a state that is waited for. */
export interface StateLook {
  readonly reached: boolean;
  readonly seen: string;
}

/** Which of the topology's virtual addresses a firewall holds. @throws Failure when it does not answer, or not in ip(8)'s form. */
async function heldAddresses(shell: MachineShell, topology: PairTopology, signal: AbortSignal): Promise<string[]> {
  const addresses = parseAddresses(await shell.must("ip -j addr", { signal }));
  return topology.virtualAddresses.filter(({ address, nic }) => addresses.some((held) => held.nic === nic && held.address === address)).map(({ address }) => address);
}

/** Whether `owner` holds every virtual address, and no other firewall that is on holds any. @throws Failure when one does not answer. */
export async function ownershipLook(owner: string, firewalls: readonly MachineShell[], topology: PairTopology, signal: AbortSignal): Promise<StateLook> {
  const held = await Promise.all(firewalls.map(async (shell) => ({ name: shell.name, addresses: await heldAddresses(shell, topology, signal) })));
  const reached = held.every(({ name, addresses }) => addresses.length === (name === owner ? topology.virtualAddresses.length : 0));
  return { reached, seen: holdingsText(new Map(held.map(({ name, addresses }) => [name, addresses]))) };
}

/** Which virtual addresses each firewall holds; undefined of one that does not answer. */
export type Holdings = ReadonlyMap<string, readonly string[] | undefined>;

const holdingsWithinMs = 5_000;

/** Which virtual addresses the firewalls hold. One that does not answer within 5 s is told as such: it may be the pair's doing. @throws the signal's reason. */
export async function holdingsOf(firewalls: readonly MachineShell[], topology: PairTopology, signal: AbortSignal): Promise<Holdings> {
  const looked = firewalls.map(async (shell): Promise<[string, string[] | undefined]> => {
    try {
      return [shell.name, await heldAddresses(shell, topology, AbortSignal.any([signal, AbortSignal.timeout(holdingsWithinMs)]))];
    } catch {
      signal.throwIfAborted();
      return [shell.name, undefined];
    }
  });
  return new Map(await Promise.all(looked));
}

/** The firewall that holds every virtual address while no other that was asked holds any; undefined when there is none. */
export function ownerOf(holdings: Holdings, { virtualAddresses }: PairTopology): string | undefined {
  const holding = [...holdings].filter(([, held]) => held === undefined || held.length > 0);
  const [owner] = holding;
  return holding.length === 1 && owner?.[1]?.length === virtualAddresses.length ? owner[0] : undefined;
}

export function holdingsText(holdings: Holdings): string {
  return [...holdings].map(([name, held]) => (held === undefined ? `${name} does not answer` : `${name} holds ${held.join(" and ") || "none"}`)).join(", ");
}

type TupledFlow = Pick<FlowLedger, "id" | "kind" | "tuple" | "natTuple">;

/** Where a backup keeps the other node's states. */
export type ReplicaPlace = "external cache" | "kernel's table";

const replicaCommands: Readonly<Record<ReplicaPlace, string>> = { "external cache": "conntrackd -e", "kernel's table": "conntrack -L" };

/** Where a firewall's conntrackd keeps the other's states, by its own word; one that says nothing has an external cache, which will not be readable. @param save keeps its answer. */
export async function replicaPlaceOf(shell: MachineShell, save: (text: string) => Promise<void>, signal: AbortSignal): Promise<ReplicaPlace> {
  const { stdout, stderr } = await shell.run("conntrackd -s", { signal });
  await save(stdout + stderr);
  return injectsStates(stdout) ? "kernel's table" : "external cache";
}

/** Whether the state of every flow is where a firewall keeps the other's. A place that cannot be read is told, not thrown: it will not fill either. */
export async function replicationLook(shell: MachineShell, place: ReplicaPlace, flows: readonly TupledFlow[], signal: AbortSignal): Promise<StateLook & { readonly readable: boolean }> {
  const command = replicaCommands[place];
  const answer = await shell.run(command, { signal });
  if (answer.exitCode !== 0) {
    return { reached: false, readable: false, seen: `${command} on ${shell.name}: exit code ${answer.exitCode}, ${answer.stderr.trim()}` };
  }
  const entries = byOriginal(parseCache(answer.stdout));
  const missing = flows.filter((flow) => entryFault(flow, entries, { assured: false }) !== undefined);
  const first = missing[0];
  return {
    reached: missing.length === 0,
    readable: true,
    seen: `${flows.length - missing.length} of ${flows.length} flows in ${shell.name}'s ${place}${first ? `, ${first.id} (${entryFault(first, entries, { assured: false }) ?? ""}) not yet` : ""}`,
  };
}
