import { dutyOf, partnerOf, priorityOf } from "../config/duty.ts";
import type { Finding } from "../evidence/finding.ts";
import { bothOf, tell, type Rule } from "./rule.ts";

/** Shorter, the states are not all over when a node takes the duty back. Seconds. */
const shortestPreemptDelay = 3;

/** `priorities-equal`, `priorities-cross`: who is to be active must be one node, for all addresses. */
export const onePreferred: Rule = (pair) => {
  const both = bothOf(pair);
  if (both === undefined) return [];
  const { first, second } = both;
  const pairs = (first.keepalived?.instances ?? []).flatMap((mine) => {
    const other = partnerOf(second, mine);
    return other === undefined ? [] : [{ mine, other, lead: Math.sign(priorityOf(mine) - priorityOf(other)) }];
  });
  const findings: Finding[] = pairs
    .filter(({ lead }) => lead === 0)
    .map(({ mine, other }) =>
      tell({
        id: "priorities-equal", severity: "warning", certainty: "certain", node: second, at: other.priority ?? other, also: [mine.priority ?? mine],
        wrong: `${other.name} has priority ${priorityOf(other)} on both nodes`, causes: "who is active is left to chance and to the higher address; started together, both become master at first",
        remedy: "Give the node that is to be active the higher priority", explains: ["steady-before", "vips-moved", "fault-bit"],
      }),
    );
  const inOneGroup = (names: readonly string[]): boolean => [first, second].some(({ keepalived }) => keepalived?.groups.some(({ members }) => names.every((name) => members.some(({ value }) => value === name))));
  const up = pairs.find(({ lead }) => lead > 0);
  const down = pairs.find(({ lead }) => lead < 0);
  if (up !== undefined && down !== undefined && inOneGroup([up.mine.name, down.mine.name])) {
    findings.push(
      tell({
        id: "priorities-cross", severity: "error", certainty: "likely", node: second, at: down.other.priority ?? down.other, also: [up.mine.priority ?? up.mine, down.mine.priority, up.other.priority],
        wrong: `${up.mine.name} prefers ${first.machine}, and ${down.mine.name} prefers ${second.machine}, in one sync group`, causes: "a group is master only when all its members want it: neither node becomes it for good",
        remedy: "Let the same node have the higher priority in all instances of the group", explains: ["steady-before", "vips-moved", "flows-survive"],
      }),
    );
  }
  return findings;
};

/** `nopreempt-ignored`, `preempt-delay-ignored`: keepalived clears both where the initial state is MASTER. */
export const initialState: Rule = ({ nodes }) =>
  nodes.flatMap((node) =>
    (node.keepalived?.instances ?? []).flatMap((instance) => {
      if (instance.state?.value !== "MASTER") return [];
      const shared = { node, also: [instance.state], remedy: "Let the initial state be BACKUP: the priority alone says who is to be active", explains: ["flows-survive", "state-on-survivor", "no-drops-on-survivor", "vips-moved"] };
      const findings: Finding[] = [];
      if (instance.nopreempt !== undefined) {
        findings.push(
          tell({ ...shared, id: "nopreempt-ignored", severity: "warning", certainty: "certain", at: instance.nopreempt, wrong: `nopreempt of ${instance.name} is without effect, as its initial state is MASTER`, causes: `when ${node.machine} returns it takes the addresses at once, before it has the states` }),
        );
      }
      if ((instance.preemptDelay?.value ?? 0) > 0 && instance.preemptDelay !== undefined) {
        findings.push(
          tell({ ...shared, id: "preempt-delay-ignored", severity: "warning", certainty: "certain", at: instance.preemptDelay, wrong: `preempt_delay of ${instance.name} is without effect, as its initial state is MASTER`, causes: `when ${node.machine} returns it takes the addresses at once, before it has the states` }),
        );
      }
      return findings;
    }),
  );

/** `preempt-without-delay`: a node that returns has to get the states before it takes the addresses back. */
export const preemptDelay: Rule = (pair) => {
  const duty = dutyOf(pair);
  const node = pair.nodes.find(({ machine }) => machine === duty.preferred);
  const own = duty.nodes.find(({ machine }) => machine === duty.preferred);
  if (node === undefined || own === undefined || !duty.preempts) return [];
  const instance = node.keepalived?.instances.find(({ nopreempt, state }) => nopreempt === undefined || state?.value === "MASTER");
  const ignored = instance?.state?.value === "MASTER" && (instance.nopreempt !== undefined || instance.preemptDelay !== undefined);
  // A start that is delayed gives conntrackd time, if it asks for the states by itself.
  const startUp = node.conntrackd?.startupResync?.value === true ? own.startupDelaySeconds : 0;
  if (instance === undefined || ignored || own.preemptDelaySeconds + startUp >= shortestPreemptDelay) return [];
  return [
    tell({
      id: "preempt-without-delay", severity: "warning", certainty: "likely", node, at: instance.preemptDelay ?? instance.state ?? instance,
      wrong: `${node.machine} takes the addresses back ${own.preemptDelaySeconds === 0 ? "as soon as it returns" : `${own.preemptDelaySeconds} s after it returns`}`, causes: "connections whose states have not come over yet die at failback",
      remedy: "Set preempt_delay (with state BACKUP) to more than a full transfer of the states takes, or nopreempt", explains: ["flows-survive", "state-on-survivor", "no-drops-on-survivor"],
    }),
  ];
};
