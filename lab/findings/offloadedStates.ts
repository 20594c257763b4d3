import { lostStates, tell, type Rule } from "./rule.ts";

/**
 * `offloaded-states`: connections in a flowtable, of which the kernel tells conntrackd no TCP state. One that is in there before the internal cache is filled from
 * the kernel (-R) is replicated without its state, and whoever commits it drops its packets as invalid.
 * Source: ctnetlink_dump_info of net/netfilter/nf_conntrack_netlink.c, which leaves out timeout and protoinfo of an entry with IPS_OFFLOAD.
 */
export const offloadedStates: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    if (node.conntrackd === undefined) return [];
    const places = node.files.flatMap(({ file, lines }) => lines.flatMap((line, index) => (/^[^#]*\bflow (?:add|offload) @/u.test(line) ? [{ file, line: index + 1 }] : [])));
    return places.map((at) =>
      tell({
        id: "offloaded-states", severity: "hint", certainty: "possible", node, at, wrong: "connections go into a flowtable, and of those the kernel tells conntrackd no TCP state",
        causes: "connections that were taken over and went on before conntrackd -R are replicated without their state, and die at failback", remedy: "Let no packet through before conntrackd -R has filled the internal cache: open the gate after it", explains: lostStates,
      }),
    );
  });
