import type { Address, VrrpInstance } from "../evidence/observation.ts";
import { longestAdvertSilence } from "./advertSilence.ts";
import type { FlowFigures } from "./figures.ts";
import { conclude, firstOf, ledgersOf, missingFlowEvidence, viewOf, type Check, type Scene } from "./scene.ts";

/** A flow counts as moving when each speaking direction carried a record in its last five intervals, or in the last second. */
const intervals = 5;
const leastMs = 1000;

/**
 * Before the fault `from` owns every virtual address and the other firewall none, VRRP says the same, and all flows that speak are moving.
 * In a failback `from` is the survivor: so the returning node was no master before it took over.
 */
export const steadyBefore: Check = (scene) => {
  const { transition, topology, flows } = scene;
  const { before, from, to } = transition;
  const wrong: string[] = [];
  const evidence: string[] = [];
  for (const [machine, owner] of [
    [from, true],
    [to, false],
  ] as const) {
    const addresses = viewOf(before, machine, "addresses", { wrong, evidence });
    if (addresses !== undefined) wrong.push(...ownershipFaults(scene, machine, addresses, owner));
    const instances = viewOf(before, machine, "vrrp", { wrong, evidence });
    if (instances !== undefined) wrong.push(...vrrpFaults(machine, instances, owner ? "MASTER" : "BACKUP"));
  }
  const silence = wrong.length > 0 && scene.packets !== undefined ? longestAdvertSilence(scene.packets, topology, from, scene.startMs) : undefined;
  const speaking = flows.filter(({ flow }) => flow.mode !== "idle");
  const still = speaking.filter((figures) => !movesBefore(figures, scene.startMs)).map(({ flow }) => flow.id);
  const broken = flows.filter(({ errors }) => errors.some(({ atMs }) => atMs <= scene.startMs)).map(({ flow }) => flow.id);
  if (speaking.length === 0 && flows.length > 0) wrong.push("no flow speaks before the fault");
  if (still.length > 0) wrong.push(`not moving before the fault: ${firstOf(still)}`);
  if (broken.length > 0) wrong.push(`had an error before the fault: ${firstOf(broken)}`);
  return conclude(scene, "steady-before", {
    measured: `${speaking.length - still.length} of ${speaking.length} speaking flows moving, ${flows.length - speaking.length} idle; virtual addresses: ${holders(scene)}`,
    ...(silence !== undefined && { remark: `${from} sent no advert for ${Math.round(silence.ms)} ms at the longest until then, on ${silence.bridge}` }),
    allowed: `all flows moving; ${topology.virtualAddresses.length} virtual addresses on ${from} alone, ${from} MASTER, ${to} BACKUP`,
    meaning: `${from} had the duty and all flows moved when the fault struck`,
    wrong,
    missing: missingFlowEvidence(scene),
    evidence: [...evidence, ...ledgersOf([...still, ...broken])],
  });
};

function movesBefore({ flow, speaking }: FlowFigures, faultMs: number): boolean {
  const windowMs = Math.max(intervals * flow.intervalMs, leastMs);
  return speaking.length > 0 && speaking.every(({ arrivals }) => arrivals.some(({ atMs, errorMs }) => atMs + errorMs <= faultMs && atMs >= faultMs - windowMs));
}

function ownershipFaults({ topology }: Scene, machine: string, addresses: readonly Address[], owner: boolean): string[] {
  return topology.virtualAddresses
    .filter(({ address, nic }) => addresses.some((held) => held.address === address && (!owner || held.nic === nic)) !== owner)
    .map(({ address, nic }) => (owner ? `${machine} does not hold ${address} on ${nic}` : `${machine} holds ${address}`));
}

function vrrpFaults(machine: string, instances: readonly VrrpInstance[], expected: string): string[] {
  if (instances.length === 0) return [`${machine} has no VRRP instance`];
  return instances.filter(({ state }) => state !== expected).map(({ name, state }) => `${machine}: VRRP ${name} is ${state} instead of ${expected}`);
}

function holders({ transition, topology }: Scene): string {
  return topology.virtualAddresses
    .map(({ address }) => {
      const machines = Object.entries(transition.before.firewalls).filter(([, { addresses }]) => addresses.ok && addresses.data.some((held) => held.address === address));
      return `${address} on ${machines.map(([machine]) => machine).join(" and ") || "none"}`;
    })
    .join(", ");
}
