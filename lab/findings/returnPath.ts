import { networkFor, type Route } from "../config/networks.ts";
import type { Place } from "../config/nodeFiles.ts";
import type { NodeConfig, PairConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { covers } from "../topology/address.ts";
import { dataNics, ownerOf, sameAddress } from "./addresses.ts";
import { missingAt, tell, type Rule } from "./rule.ts";

const explains = ["flows-survive", "new-connections", "outage-in-bound", "steady-before"] as const;

const targetOf = ({ topology }: PairConfig, machine: string): string => hostPart(dataNics(machineSpec(topology, machine))[0]?.address ?? "");

/** The routes of a machine that lead to an address, the narrowest first. */
function routesTo(node: NodeConfig, nics: readonly string[], target: string): Route[] {
  const length = ({ destination }: Route): number => (destination === undefined ? -1 : Number(/\/(\d+)$/u.exec(destination.value)?.[1] ?? 128));
  const networks = [...new Set(nics.map((nic) => networkFor(node.networks, nic)).filter((network) => network !== undefined))];
  return networks
    .flatMap(({ routes }) => routes)
    .filter(({ destination, table }) => table === undefined && (destination === undefined || covers(destination.value, target)))
    .toSorted((a, b) => length(b) - length(a));
}

/** Whether the firewalls translate the client's address. As written in their files: what a kernel made of it is the ruleset's own rule. */
export function translates({ nodes }: PairConfig): boolean {
  return nodes.some(({ files }) => files.some(({ lines }) => lines.some((line) => !/^\s*#/u.test(line) && /\b(?:snat|masquerade)\b|\bIPMasquerade=/iu.test(line))));
}

/** `return-path-not-by-vip`, `return-path-missing`: both ways enter the pair by an address that moves. */
export const returnPath: Rule = (pair) => {
  const { client, server } = pair.topology;
  return [...wayOf(pair, client, server, false), ...wayOf(pair, server, client, translates(pair))];
};

/** An address that both nodes move on that side, known to the topology or not: as a link-local one, by which IPv6 has its routers. */
function movesOn({ nodes }: PairConfig, address: string, nic: string): boolean {
  const moves = ({ keepalived }: NodeConfig): boolean =>
    (keepalived?.instances ?? []).some((instance) => instance.virtualIps.some((ip) => sameAddress(ip.address, address) && (ip.interface ?? instance.interface?.value) === nic));
  return nodes.every(moves);
}

function wayOf(pair: PairConfig, from: string, to: string, needsNone: boolean): Finding[] {
  const { topology, endpoints } = pair;
  const node = endpoints.find(({ machine }) => machine === from);
  const virtual = topology.virtualAddresses.find(({ neighbour }) => neighbour === from);
  if (node === undefined || virtual === undefined) return [];
  const nics = dataNics(machineSpec(topology, from));
  const remedy = `Gateway=${virtual.address}`;
  const [route] = routesTo(node, nics.map(({ name }) => name), targetOf(pair, to));
  if (route === undefined) {
    const bySomethingElse = node.files.some(({ lines }) => lines.some((line) => /\broute\b.*\bvia\b/u.test(line)));
    if (needsNone || bySomethingElse) return [];
    const network = networkFor(node.networks, nics[0]?.name ?? "");
    const at: Place = network === undefined ? missingAt(node, "/etc/systemd/network/10-eth0.network") : { file: network.file, line: null };
    return [tell({ id: "return-path-missing", severity: "error", certainty: "likely", node, at, wrong: `${from} has no route to ${to}`, causes: `what ${from} sends to ${to} goes nowhere`, remedy, explains })];
  }
  const gateway = route.gateway;
  if (gateway === undefined || sameAddress(gateway.value, virtual.address) || movesOn(pair, gateway.value, virtual.nic)) return [];
  const owner = ownerOf(topology, gateway.value);
  const isFirewalls = owner?.machine.role === "firewall";
  return [
    tell({
      id: "return-path-not-by-vip", severity: needsNone ? "hint" : "error", certainty: isFirewalls ? "certain" : "likely", node, at: gateway, wrong: `${from}'s way to ${to} is by ${gateway.value}, ${isFirewalls ? `${owner.machine.name}'s own address` : "and not by the virtual address"}`,
      causes: needsNone ? "nothing, as long as the firewalls translate the client's address" : isFirewalls ? `when ${owner.machine.name} dies, its packets go nowhere; when the other is active, both ways pass different firewalls` : "its packets do not follow the active firewall", remedy, explains: needsNone ? [] : explains,
    }),
  ];
}
