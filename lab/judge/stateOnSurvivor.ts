import { conclude, viewOf, type Check } from "./scene.ts";
import { byOriginal, entryFault } from "./tuples.ts";

/** After the fault each flow's entry is in `to`'s kernel table: ESTABLISHED for TCP, ASSURED, with the same NAT tuple. */
export const stateOnSurvivor: Check = (scene) => {
  const { transition, flows } = scene;
  const { after, to } = transition;
  const wrong: string[] = [];
  const evidence: string[] = [];
  const table = viewOf(after, to, "conntrack", { wrong, evidence });
  const entries = byOriginal(table ?? []);
  const faults = table === undefined ? [] : flows.flatMap(({ flow }) => {
    const fault = entryFault(flow, entries, { assured: true });
    return fault === undefined ? [] : [`${flow.id}: ${fault}`];
  });
  wrong.push(...faults);
  return conclude(scene, "state-on-survivor", {
    measured: table === undefined ? `${to}'s table could not be read` : `${flows.length - faults.length} of ${flows.length} flows in ${to}'s table as they should be`,
    allowed: `all ${flows.length}, ESTABLISHED (TCP), ASSURED, same NAT tuple`,
    meaning: `${to} tracks every flow as the firewall before it did`,
    wrong,
    missing: flows.length === 0 ? ["the run has no flows"] : [],
    evidence,
  });
};
