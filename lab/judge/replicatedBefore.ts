import { conclude, firstOf, viewOf, type Check } from "./scene.ts";
import { byOriginal, entryFault } from "./tuples.ts";

/**
 * Before the fault every flow's state is in the external cache of the firewall that is to take over: original tuple, ESTABLISHED for TCP. One whose
 * conntrackd keeps no such cache, by its own word, has the states in the kernel's table. The cache tells no reply tuple; what is to be replicated, NAT
 * included, is compared in `from`'s own table.
 */
export const replicatedBefore: Check = (scene) => {
  const { evidence: { injecting = [] }, transition, flows } = scene;
  const { before, from, to } = transition;
  const wrong: string[] = [];
  const evidence: string[] = [];
  const [view, place] = injecting.includes(to) ? (["conntrack", "kernel's table"] as const) : (["externalCache", "external cache"] as const);
  const replica = viewOf(before, to, view, { wrong, evidence });
  const table = viewOf(before, from, "conntrack", { wrong, evidence });
  const faultsIn = (entries: typeof replica, assured: boolean) => {
    const index = byOriginal(entries ?? []);
    return flows.flatMap(({ flow }) => {
      const fault = entries === undefined ? "unknown" : entryFault(flow, index, { assured });
      return fault === undefined ? [] : [`${flow.id}: ${fault}`];
    });
  };
  const absent = faultsIn(replica, false);
  const different = faultsIn(table, false);
  if (replica !== undefined && absent.length > 0) wrong.push(`in ${to}'s ${place}: ${firstOf(absent)}`);
  if (table !== undefined && different.length > 0) wrong.push(`in ${from}'s own table: ${firstOf(different)}`);
  return conclude(scene, "replicated-before", {
    measured: `${flows.length - absent.length} of ${flows.length} flows replicated to ${to}; ${flows.length - different.length} as they should be on ${from}`,
    allowed: `all ${flows.length}, ESTABLISHED, with the tuple that the client sees and on ${from} the NAT that the server sees`,
    meaning: `${to} had every flow's state before it was needed`,
    wrong,
    missing: flows.length === 0 ? ["the run has no flows"] : [],
    evidence,
  });
};
