import type { Evidence, Transition } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { Timeline } from "../evidence/timeline.ts";
import { covers } from "../topology/address.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { machineSpec, managementNic, nicOf, type MachineSpec, type NativeHost, type PairTopology, type VirtualAddress } from "../topology/topology.ts";
import { figuresOf } from "./figures.ts";
import { cutFlows } from "./firewallCut.ts";
import { endOf, isReturn, startOf } from "./scene.ts";
import { timelineOf } from "./timeline.ts";

/** What happened in each transition of a sandwich's run, in the order of their times; those of which nothing was seen are left out. Pure. */
export function sandwichTimelines(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[] | undefined): Timeline[] {
  const transitions = evidence.transitions.toSorted((a, b) => a.fault.atMs - b.fault.atMs);
  const figures = figuresOf(evidence.flows, evidence.clocks);
  const carriers = carriersAtFirst(evidence, topology, packets, transitions[0]);
  return transitions
    .map((transition) => {
      const ofDirectors = topology.directors.includes(transition.from);
      // The flows of the other firewall stay where they are.
      const flows = ofDirectors || carriers === undefined ? figures : figures.filter(({ flow }) => carriers.get(flow.id) === homeOf(transition));
      const scene = { evidence, transition, packets, flows, topology: pairOf(topology, transition), startMs: startOf(transition), untilMs: endOf(evidence, transition) };
      return timelineOf(scene, { tracksStates: !ofDirectors });
    })
    .filter(({ moments }) => moments.some(({ atMs }) => atMs !== null));
}

/** The machine whose duty it is while all is well. */
function homeOf(transition: Transition): string {
  return isReturn(transition) ? transition.to : transition.from;
}

/** By whom each flow went when all was well, by its id. Undefined without packets: nobody knows. */
function carriersAtFirst(evidence: Evidence, topology: SandwichTopology, packets: readonly Packet[] | undefined, first: Transition | undefined): ReadonlyMap<string, string | undefined> | undefined {
  return first === undefined || packets === undefined ? undefined : new Map(cutFlows(evidence, topology, packets, first).map(({ id, carrier }) => [id, carrier]));
}

/** The two machines of a transition, between the clients and the router or, of directors, before the firewalls. */
function pairOf(topology: SandwichTopology, transition: Transition): PairTopology {
  const { from, to } = transition;
  const ends = { client: topology.clients.name, server: topology.router };
  return {
    ...topology,
    ...ends,
    machines: [...topology.machines, asMachine(topology.clients)],
    active: from,
    backup: to,
    virtualAddresses: topology.directors.includes(from) ? directorsAddress(topology, from) : movedAddresses(topology, homeOf(transition)),
  };
}

/** What its neighbours know of a native host: where it is. */
function asMachine({ name, nics }: NativeHost): MachineSpec {
  return { name, role: "endpoint", nics, memoryMiB: 0 };
}

/** The addresses that are at home on a firewall: those that move when it goes, and come back with it. */
function movedAddresses({ homes, machines, firewalls, ingressNic, egressNic, clients, router }: SandwichTopology, home: string): VirtualAddress[] {
  const spec = machines.find(({ name }) => name === home && firewalls.includes(name));
  if (spec === undefined) return [];
  const sides = [
    { nic: nicOf(spec, ingressNic), neighbour: clients.name },
    { nic: nicOf(spec, egressNic), neighbour: router },
  ];
  return [...homes].flatMap(([address, owner]) => {
    const side = owner === home ? sides.find(({ nic }) => covers(nic.address, address)) : undefined;
    return side === undefined ? [] : [{ address, nic: side.nic.name, bridge: side.nic.bridge, neighbour: side.neighbour }];
  });
}

function directorsAddress(topology: SandwichTopology, director: string): VirtualAddress[] {
  const { directorAddress, clients } = topology;
  const nic = machineSpec(topology, director).nics.find(({ name, address }) => name !== managementNic && directorAddress !== undefined && covers(address, directorAddress));
  return directorAddress === undefined || nic === undefined ? [] : [{ address: directorAddress, nic: nic.name, bridge: nic.bridge, neighbour: clients.name }];
}
