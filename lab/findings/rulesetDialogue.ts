import { isUntracked, type RulePacket } from "../config/packetVerdict.ts";
import type { NodeConfig, PairConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { eachWithPeer, lostAddresses, lostStates, tell, type Rule } from "./rule.ts";
import { dropWords, droppedBy, outcomeAt, type RuledNode } from "./rulesetScene.ts";

/** A packet between the nodes, as it leaves or comes in. */
interface Dialogue {
  readonly packet: RulePacket;
  readonly hook: "input" | "output";
}

/** Both hooks' views of what a node and its peer send each other. */
function bothWays({ topology }: PairConfig, node: NodeConfig, peer: NodeConfig, nic: string, base: Omit<RulePacket, "iifname" | "oifname" | "ctState">, own: string | undefined): Dialogue[] {
  const addressOf = (machine: string): string | undefined => machineSpec(topology, machine).nics.filter(({ name }) => name === nic).map(({ address }) => hostPart(address))[0];
  const [mine, its] = [addressOf(node.machine), addressOf(peer.machine)];
  const group = base.daddr;
  return [
    { hook: "input", packet: { ...base, iifname: nic, oifname: null, saddr: its, daddr: group ?? own ?? mine } },
    { hook: "output", packet: { ...base, iifname: null, oifname: nic, saddr: own ?? mine, daddr: group ?? its } },
  ];
}

/** What connection tracking makes of a packet that answers none. */
function tracked(node: RuledNode, { packet, hook }: Dialogue): RulePacket {
  const untracked = isUntracked(node.ruleset, packet, hook);
  return { ...packet, ctState: untracked === undefined ? undefined : untracked ? "untracked" : "new" };
}

/** `vrrp-blocked`: what keepalived sends on an instance's interface is dropped on its way out, or in. */
export const vrrpPasses: Rule = (pair) =>
  eachWithPeer(pair).flatMap(({ node, peer }) => {
    const ruled = ruledOf(node);
    if (ruled === undefined) return [];
    return (node.keepalived?.instances ?? []).flatMap((instance): Finding[] => {
      const nic = instance.interface?.value;
      // Adverts of a virtual MAC go by an interface of their own.
      if (nic === undefined || instance.vmac !== undefined) return [];
      const isSix = instance.virtualIps[0]?.address.includes(":") === true;
      const group = instance.unicastPeers.length > 0 ? undefined : (instance.multicastGroup?.value ?? node.keepalived?.globals.multicastGroup?.value ?? (isSix ? "ff02::12" : "224.0.0.18"));
      const family = isSix ? ("ip6" as const) : ("ip" as const);
      const base = { family, protocol: instance.authType?.value.toUpperCase() === "AH" ? 51 : 112, daddr: group };
      return bothWays(pair, node, peer, nic, base, instance.unicastSource?.value).flatMap((dialogue) => {
        // Adverts over IPv6 come from the interface's link-local address.
        const packet = tracked(ruled, isSix ? { ...dialogue, packet: { ...dialogue.packet, saddr: undefined } } : dialogue);
        const dropped = droppedBy(ruled, packet, dialogue.hook);
        if (dropped === undefined) return [];
        const way = dialogue.hook === "input" ? "comes in" : "is sent";
        return [
          tell({
            id: "vrrp-blocked", severity: "error", certainty: "certain", node, at: outcomeAt(node, dropped), also: [instance], wrong: `VRRP that ${way} on ${nic} (${instance.name}) is dropped by ${dropWords(dropped)}`,
            causes: "the backup does not hear the active node, and takes the virtual addresses beside it", remedy: `Accept protocol ${base.protocol} on ${nic}, ${dialogue.hook}`, explains: lostAddresses,
          }),
        ];
      });
    });
  });

/** `sync-blocked`: what conntrackd sends over its link is dropped on its way out, or in. */
export const replicationPasses: Rule = (pair) =>
  eachWithPeer(pair).flatMap(({ node, peer }) => {
    const ruled = ruledOf(node);
    const transport = node.conntrackd?.transports.find(({ isDefault }) => isDefault) ?? node.conntrackd?.transports[0];
    const nic = transport?.interface?.value;
    const port = transport?.port?.value;
    if (ruled === undefined || transport === undefined || nic === undefined || port === undefined) return [];
    const isTcp = transport.kind === "TCP";
    const group = transport.kind === "Multicast" ? transport.address?.value : undefined;
    const own = transport.kind === "Multicast" ? transport.ownAddress?.value : transport.address?.value;
    const family = (group ?? own ?? "").includes(":") ? ("ip6" as const) : ("ip" as const);
    const base = { family, protocol: isTcp ? 6 : 17, daddr: group, dport: port, ...(isTcp && { tcpFlags: ["syn"] as const }) };
    return bothWays(pair, node, peer, nic, base, own).flatMap((dialogue) => {
      const dropped = droppedBy(ruled, tracked(ruled, dialogue), dialogue.hook);
      if (dropped === undefined) return [];
      const way = dialogue.hook === "input" ? "come in" : "are sent";
      return [
        tell({
          id: "sync-blocked", severity: "error", certainty: "certain", node, at: outcomeAt(node, dropped), also: [transport], wrong: `states that ${way} on ${nic} (${isTcp ? "TCP" : "UDP"} port ${port}) are dropped by ${dropWords(dropped)}`,
          causes: "no state of any connection is on the other node when it takes over", remedy: `Accept ${isTcp ? "tcp" : "udp"} dport ${port} on ${nic}, ${dialogue.hook}`, explains: lostStates,
        }),
      ];
    });
  });

function ruledOf(node: NodeConfig): RuledNode | undefined {
  return node.ruleset === undefined ? undefined : { ...node, ruleset: node.ruleset };
}
