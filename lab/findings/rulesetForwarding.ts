import { verdictOf, type RulePacket } from "../config/packetVerdict.ts";
import type { Finding } from "../evidence/finding.ts";
import { tell, type Rule } from "./rule.ts";
import { dropWords, droppedBy, flowsThrough, isLoose, outcomeAt, ruledNodes } from "./rulesetScene.ts";

const explains = ["flows-survive", "new-connections", "no-drops-on-survivor", "steady-before"] as const;

/** `service-not-allowed`, `established-not-accepted`: what the tree promises passes on each node, as it begins and both ways as it goes on. */
export const flowsPass: Rule = (pair) =>
  ruledNodes(pair).flatMap((node) =>
    flowsThrough(pair, node).flatMap(({ kind, first, onward, back }): Finding[] => {
      const findings: Finding[] = [];
      const begins = droppedBy(node, first, "forward");
      if (begins !== undefined) {
        findings.push(
          tell({
            id: "service-not-allowed", severity: "error", certainty: "certain", node, at: outcomeAt(node, begins), wrong: `a new ${kind} connection of the client's (port ${first.dport ?? 0}) is dropped on ${node.machine} by ${dropWords(begins)}`,
            causes: `while ${node.machine} is active nobody begins one`, remedy: "Allow it on both nodes; where it is not to be allowed, fwlab.json says what the policy promises", explains,
          }),
        );
      }
      for (const [packet, way] of [[onward, "to the server"], [back, "back to the client"]] as const) {
        const dropped = droppedBy(node, packet, "forward");
        if (dropped === undefined) continue;
        findings.push(
          tell({
            id: "established-not-accepted", severity: "error", certainty: "certain", node, at: outcomeAt(node, dropped), wrong: `what an established ${kind} connection sends ${way} is dropped on ${node.machine} by ${dropWords(dropped)}`,
            causes: `connections hang while ${node.machine} is active`, remedy: "Accept ct state established,related in both directions", explains,
          }),
        );
      }
      return findings;
    }),
  );

/** `denied-service-allowed`: what the policy must refuse begins all the same. */
export const denialHolds: Rule = (pair) =>
  ruledNodes(pair).flatMap((node) => {
    const { denied } = pair.promises;
    const [flow] = flowsThrough(pair, node);
    if (flow === undefined) return [];
    const { iifname, oifname, saddr, daddr } = denied.from === "client" ? flow.first : flow.back;
    const packet: RulePacket = { family: flow.first.family, protocol: denied.protocol === "tcp" ? 6 : 17, iifname, oifname, saddr, daddr, sport: 40_000, dport: denied.port, ctState: "new", tcpFlags: ["syn"] };
    const { verdict, outcomes } = verdictOf(node.ruleset, packet, "forward");
    if (verdict !== "accept") return [];
    return [
      tell({
        id: "denied-service-allowed", severity: "error", certainty: "certain", node, at: outcomeAt(node, outcomes.at(-1)), wrong: `${denied.protocol} port ${denied.port} from the ${denied.from} passes ${node.machine}, and the policy is to refuse it`,
        causes: `the policy opens while ${node.machine} is active`, remedy: "End the forward chain by a drop, and allow only what is meant", explains: ["new-connections"],
      }),
    ];
  });

/** `mid-stream-new-accepted`: with tcp_loose 1, a segment in the middle of an unknown connection is new, and a rule that does not ask for SYN takes it. */
export const midStreamRefused: Rule = (pair) =>
  ruledNodes(pair).flatMap((node) => {
    if (!isLoose(node)) return [];
    const packets = flowsThrough(pair, node).flatMap(({ onward, back }) => (onward.protocol === 6 ? [onward, back] : []));
    const accepted = packets.map((packet) => verdictOf(node.ruleset, { ...packet, ctState: "new" }, "forward")).find(({ verdict }) => verdict === "accept");
    if (accepted === undefined) return [];
    return [
      tell({
        id: "mid-stream-new-accepted", severity: "warning", certainty: "certain", node, at: outcomeAt(node, accepted.outcomes.at(-1)), wrong: `on ${node.machine} a TCP segment that is no SYN may begin a connection: tcp_loose is 1, and the ruleset accepts it as new`,
        causes: "flows seem to survive though their states were not replicated, and forged segments pass", remedy: "net.netfilter.nf_conntrack_tcp_loose = 0, or ask for SYN where new TCP is accepted", explains: ["state-on-survivor"],
      }),
    ];
  });

/** `out-of-state-rejected`: between the virtual address and the commit, packets of good connections meet a firewall without their state. */
export const outOfStateDropped: Rule = (pair) =>
  ruledNodes(pair).flatMap((node) => {
    const ctState = isLoose(node) ? ("new" as const) : ("invalid" as const);
    for (const { onward, back } of flowsThrough(pair, node).filter(({ first }) => first.protocol === 6)) {
      for (const packet of [onward, back]) {
        const dropped = droppedBy(node, { ...packet, ctState }, "forward");
        if (dropped?.action.kind !== "reject") continue;
        const resets = dropped.action.how.includes("reset");
        return [
          tell({
            id: "out-of-state-rejected", severity: "warning", certainty: resets ? "likely" : "possible", node, at: outcomeAt(node, dropped), wrong: `${node.machine} answers a segment of an unknown connection with ${resets ? "a TCP reset" : "an error"}`,
            causes: "at a takeover packets come before the states are committed: the answer ends good connections", remedy: "Drop what belongs to no connection, and reject only what begins one", explains: ["flows-survive"],
          }),
        ];
      }
    }
    return [];
  });
