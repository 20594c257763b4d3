import { conclude, firstOf, viewOf, type Check } from "./scene.ts";
import { byOriginal, entryFault } from "./tuples.ts";

/**
 * Before the fault every flow's state is in the external cache of the firewall that is to take over: original tuple, ESTABLISHED for TCP.
 * That cache tells no reply tuple; what is to be replicated, NAT included, is compared in `from`'s own table.
 */
export const replicatedBefore: Check = (scene) => {
  const { transition, flows } = scene;
  const { before, from, to } = transition;
  const wrong: string[] = [];
  const evidence: string[] = [];
  const cache = viewOf(before, to, "externalCache", { wrong, evidence });
  const table = viewOf(before, from, "conntrack", { wrong, evidence });
  const faultsIn = (entries: typeof cache, assured: boolean) => {
    const index = byOriginal(entries ?? []);
    return flows.flatMap(({ flow }) => {
      const fault = entries === undefined ? "unknown" : entryFault(flow, index, { assured });
      return fault === undefined ? [] : [`${flow.id}: ${fault}`];
    });
  };
  const absent = faultsIn(cache, false);
  const different = faultsIn(table, false);
  if (cache !== undefined && absent.length > 0) wrong.push(`in ${to}'s external cache: ${firstOf(absent)}`);
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
