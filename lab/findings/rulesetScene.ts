import type { NodeFiles, Place } from "../config/nodeFiles.ts";
import { verdictOf, type Outcome, type RulePacket } from "../config/packetVerdict.ts";
import type { NodeConfig, PairConfig } from "../config/pair.ts";
import { placeOf } from "../config/ruleSource.ts";
import type { Chain, Hook, Ruleset } from "../config/ruleset.ts";
import { sysctl } from "../config/sysctls.ts";
import { hostPart, machineSpec, type Nic, type PairTopology } from "../topology/topology.ts";
import { missingAt } from "./rule.ts";

/** A firewall whose kernel was asked for its rules. */
export type RuledNode = NodeConfig & { readonly ruleset: Ruleset };

export function ruledNodes({ nodes }: PairConfig): RuledNode[] {
  return nodes.filter((node): node is RuledNode => node.ruleset !== undefined);
}

/** Ports that the lab's flows go to, and what they are. */
const services = { tcp: { protocol: 6, dport: 7 }, udp: { protocol: 17, dport: 7 }, ssh: { protocol: 6, dport: 22 } } as const;

/** A promised flow on its way through a firewall, both ways, as the forward hook sees it. */
export interface FlowPackets {
  readonly kind: keyof typeof services;
  /** As it begins. */
  readonly first: RulePacket;
  /** As it goes on, towards the server and back. */
  readonly onward: RulePacket;
  readonly back: RulePacket;
}

/** What the promised flows send through a firewall. */
export function flowsThrough({ topology, promises }: PairConfig, node: NodeConfig): FlowPackets[] {
  const [client, server] = [nicAt(topology, topology.client), nicAt(topology, topology.server)];
  const firewall = machineSpec(topology, node.machine);
  const inside = firewall.nics.find(({ bridge }) => bridge === client.bridge);
  const outside = firewall.nics.find(({ bridge }) => bridge === server.bridge);
  if (inside === undefined || outside === undefined) return [];
  const [from, to] = [hostPart(client.address), hostPart(server.address)];
  return promises.flows.map((kind) => {
    const { protocol, dport } = services[kind];
    const family = from.includes(":") ? ("ip6" as const) : ("ip" as const);
    const flags = (...tcpFlags: ("syn" | "ack")[]): Pick<RulePacket, "tcpFlags"> => (protocol === 6 ? { tcpFlags } : {});
    const there: RulePacket = { family, protocol, iifname: inside.name, oifname: outside.name, saddr: from, daddr: to, sport: aPort, dport };
    const here: RulePacket = { family, protocol, iifname: outside.name, oifname: inside.name, saddr: to, daddr: from, sport: dport, dport: aPort };
    return { kind, first: { ...there, ctState: "new", ...flags("syn") }, onward: { ...there, ctState: "established", ...flags("ack") }, back: { ...here, ctState: "established", ...flags("ack") } };
  });
}

/** Of the client's ephemeral ports (net.ipv4.ip_local_port_range). */
const aPort = 40_000;

function nicAt(topology: PairTopology, machine: string): Nic {
  const [nic] = machineSpec(topology, machine).nics;
  if (nic === undefined) throw new RangeError(`${machine} has no NIC`);
  return nic;
}

/** Whether connection tracking takes a segment in the middle of an unknown connection for the start of one: the kernel's default. */
export function isLoose({ sysctls }: NodeConfig): boolean {
  return sysctl(sysctls, "net.netfilter.nf_conntrack_tcp_loose")?.value !== "0";
}

/** Where an outcome is written; where no file tells, the file that a ruleset usually has. */
export function outcomeAt(node: NodeFiles, outcome: Outcome | undefined): Place {
  return (outcome && placeOf(node, outcome.chain, outcome.rule)) ?? usualPlace(node, outcome?.chain);
}

export function usualPlace(node: NodeFiles, chain: Chain | undefined): Place {
  const path = chain?.tool === "iptables" ? "/etc/iptables/rules.v4" : "/etc/nftables.conf";
  const file = node.files.find((candidate) => candidate.path === path);
  return file === undefined ? missingAt(node, path) : { file: file.file, line: null };
}

/** The outcome by which a packet is dropped, where it surely is. */
export function droppedBy({ ruleset }: RuledNode, packet: RulePacket, hook: Hook): Outcome | undefined {
  const { verdict, outcomes } = verdictOf(ruleset, packet, hook);
  return verdict === "drop" ? outcomes.findLast(({ action }) => action.kind === "drop" || action.kind === "reject") : undefined;
}

/** What drops, in words. */
export function dropWords({ chain, rule }: Outcome): string {
  return rule === undefined ? `the policy of chain ${chain.id}` : `a rule of chain ${chain.id}`;
}
