import { sourceTranslations, type Outcome } from "../config/packetVerdict.ts";
import type { PairConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { lostStates, tell, type Rule } from "./rule.ts";
import { flowsThrough, outcomeAt, ruledNodes, usualPlace, type RuledNode } from "./rulesetScene.ts";

/** What a node surely makes of a flow's source address: addresses, its own by masquerading, or none. Undefined where that is open. */
interface Translation {
  readonly to: readonly string[] | "masquerade" | "none";
  readonly outcome: Outcome | undefined;
}

function translationOf(pair: PairConfig, node: RuledNode): Translation | undefined {
  const [flow] = flowsThrough(pair, node);
  if (flow === undefined) return undefined;
  const outcomes = sourceTranslations(node.ruleset, flow.first);
  const [outcome] = outcomes;
  if (outcome === undefined) return { to: "none", outcome };
  if (outcomes.length > 1) return undefined;
  if (outcome.action.kind === "masquerade") return { to: "masquerade", outcome };
  return outcome.action.kind === "snat" && outcome.action.addresses !== undefined ? { to: outcome.action.addresses, outcome } : undefined;
}

/** `snat-own-address`, `snat-address-unheld`: the translated address has to move with the virtual ones. */
export const translatesToVip: Rule = (pair) => {
  const { topology } = pair;
  return ruledNodes(pair).flatMap((node): Finding[] => {
    const translation = translationOf(pair, node);
    const [flow] = flowsThrough(pair, node);
    const nic = machineSpec(topology, node.machine).nics.find(({ name }) => name === flow?.first.oifname);
    if (translation === undefined || translation.to === "none" || nic === undefined) return [];
    const virtual = pair.nodes.flatMap(({ keepalived }) => keepalived?.instances ?? []).flatMap(({ virtualIps }) => virtualIps.map(({ address }) => address));
    const own = hostPart(nic.address);
    const shared = { node, at: outcomeAt(node, translation.outcome), remedy: `Translate to the virtual address on ${nic.name}` };
    const causes = "states that come over name an address of the dead node: answers to it reach nobody";
    if (translation.to === "masquerade") {
      return [tell({ ...shared, id: "snat-own-address", severity: "error", certainty: "likely", wrong: `${node.machine} masquerades what leaves by ${nic.name}: it goes by the node's own address ${own}`, causes, explains: lostStates })];
    }
    const foreign = translation.to.filter((address) => !virtual.includes(address));
    if (foreign.includes(own)) {
      return [tell({ ...shared, id: "snat-own-address", severity: "error", certainty: "certain", wrong: `${node.machine} translates what leaves by ${nic.name} to its own address ${own}`, causes, explains: lostStates })];
    }
    const others = topology.machines.flatMap((machine) => machine.nics.map(({ address }) => hostPart(address)));
    const [taken] = foreign.filter((address) => others.includes(address));
    if (taken === undefined) return [];
    return [tell({ ...shared, id: "snat-address-unheld", severity: "error", certainty: "certain", wrong: `${node.machine} translates what leaves by ${nic.name} to ${taken}, another machine's address`, causes: "answers go to that machine", explains: ["flows-survive", "new-connections", "steady-before"] })];
  });
};

/** `nat-differs`: a connection has to be the same seen from outside, whichever node it passes. */
export const translationAgrees: Rule = (pair) => {
  const [first, second] = ruledNodes(pair);
  if (first === undefined || second === undefined) return [];
  const [a, b] = [translationOf(pair, first), translationOf(pair, second)];
  if (a === undefined || b === undefined || JSON.stringify(a.to) === JSON.stringify(b.to)) return [];
  const words = ({ to }: Translation): string => (to === "none" ? "not at all" : to === "masquerade" ? "to its own address" : `to ${to.join(", ")}`);
  const at = b.outcome === undefined ? usualPlace(second, a.outcome?.chain) : outcomeAt(second, b.outcome);
  return [
    tell({
      id: "nat-differs", severity: "error", certainty: "certain", node: second, at, also: [a.outcome === undefined ? undefined : outcomeAt(first, a.outcome)],
      wrong: `${first.machine} translates the client's address ${words(a)}, and ${second.machine} ${words(b)}`, causes: "connections begun by the one node's rules do not fit the other's: what begins after a takeover is seen by another address",
      remedy: "Give both nodes the same rules of translation", explains: ["flows-survive", "new-connections", "state-on-survivor"],
    }),
  ];
};
