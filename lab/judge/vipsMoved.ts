import { machineSpec, nicOf, tapName, type VirtualAddress } from "../topology/topology.ts";
import { virtualRouterOf } from "../topology/virtualRouter.ts";
import { conclude, dataOf, isReturn, viewOf, type Check, type Scene } from "./scene.ts";

/**
 * After the fault every virtual address is on `to` and nowhere else, and reachable there: the endpoints' neighbour entries have `to`'s MAC, or that of a
 * virtual router, and the bridges lead that MAC to `to`'s tap. An address on an interface alone is not reachable yet.
 */
export const vipsMoved: Check = (scene) => {
  const { transition, topology } = scene;
  const { after, from, to } = transition;
  const wrong: string[] = [];
  const missing: string[] = [];
  const evidence: string[] = [];
  const held = viewOf(after, to, "addresses", { wrong, evidence });
  for (const { address, nic } of topology.virtualAddresses) {
    if (held !== undefined && !held.some((own) => own.address === address && own.nic === nic)) wrong.push(`${to} does not hold ${address} on ${nic}`);
  }
  // Where the duty came back nobody was killed: the firewall that gave it back must be seen without it.
  const others = new Set([...Object.keys(after.firewalls), ...(isReturn(transition) ? [from] : [])]);
  others.delete(to);
  for (const other of others) {
    const addresses = viewOf(after, other, "addresses", { wrong, evidence });
    for (const { address } of topology.virtualAddresses) {
      if (addresses?.some((own) => own.address === address)) wrong.push(`${other} holds ${address} too`);
    }
  }
  let reachable = 0;
  for (const virtual of topology.virtualAddresses) {
    const neighbour = neighbourOf(scene, virtual, missing, evidence);
    const faults = [...neighbour.faults, ...forwardingFaults(scene, virtual, neighbour.mac, missing, evidence)];
    if (faults.length === 0) reachable += 1;
    wrong.push(...faults);
  }
  const total = topology.virtualAddresses.length;
  if (total === 0) missing.push(`topology ${topology.name} has no virtual address`);
  const owned = topology.virtualAddresses.filter(({ address }) => held?.some((own) => own.address === address)).length;
  return conclude(scene, "vips-moved", {
    measured: `${owned} of ${total} virtual addresses on ${to}, ${reachable} of ${total} reachable there`,
    allowed: `all ${total} on ${to} alone; neighbours and bridges lead to ${to}`,
    meaning: `${to} alone holds the virtual addresses, and frames to them go there`,
    wrong,
    missing,
    evidence,
  });
};

/** By which MAC the endpoint sends to the address, and what is wrong with that. Where nothing better is known, the bridge is asked about `to`'s own. */
function neighbourOf({ transition, topology }: Scene, { address, nic, neighbour }: VirtualAddress, missing: string[], evidence: string[]): { readonly mac: string; readonly faults: string[] } {
  const { after, to } = transition;
  const own = nicOf(machineSpec(topology, to), nic).mac;
  const look = after.neighbours[neighbour];
  if (look === undefined) {
    missing.push(`no neighbours of ${neighbour} ${after.moment}`);
    return { mac: own, faults: [] };
  }
  const neighbours = dataOf(look, `neighbours of ${neighbour} ${after.moment}`, { wrong: missing, evidence });
  if (neighbours === undefined) return { mac: own, faults: [] };
  const mac = neighbours.find((candidate) => candidate.address === address)?.mac;
  if (mac === undefined) return { mac: own, faults: [`${neighbour} has no neighbour entry for ${address}`] };
  // A virtual router's MAC is whose the bridge leads it to.
  if (mac === own || virtualRouterOf(mac) !== undefined) return { mac, faults: [] };
  return { mac: own, faults: [`${neighbour} sends ${address} to ${mac} instead of ${to}'s ${own}`] };
}

function forwardingFaults({ transition, topology }: Scene, { address, nic, bridge }: VirtualAddress, mac: string, missing: string[], evidence: string[]): string[] {
  const { after, to } = transition;
  const look = after.forwarding[bridge];
  if (look === undefined) {
    missing.push(`no forwarding table of ${bridge} ${after.moment}`);
    return [];
  }
  const table = dataOf(look, `forwarding table of ${bridge} ${after.moment}`, { wrong: missing, evidence });
  if (table === undefined) return [];
  const spec = machineSpec(topology, to);
  const tap = tapName(spec, nicOf(spec, nic));
  const whose = virtualRouterOf(mac) === undefined ? `${to}'s` : "the virtual router's";
  const ports = [...new Set(table.filter((entry) => entry.mac === mac).map((entry) => entry.port))];
  if (ports.length === 0) return [`${bridge} has not learned ${whose} ${mac}: frames to ${address} are flooded`];
  return ports.length === 1 && ports[0] === tap ? [] : [`${bridge} leads ${whose} ${mac} to ${ports.join(" and ")} instead of ${tap}`];
}
