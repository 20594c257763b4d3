import { conclude, ledgersOf, missingFlowEvidence, type Check } from "./scene.ts";
import { survivalOf } from "./survival.ts";

/** Every flow resumed, byte-exact, in order, nothing lost or doubled, on its one 4-tuple, without reset. UDP may lose what was sent in the outage; the report counts it. */
export const flowsSurvive: Check = (scene) => {
  const { flows, transition } = scene;
  const survivals = flows.map((figures) => survivalOf(scene, figures));
  const dead = survivals.filter(({ faults }) => faults.length > 0);
  const lostInOutage = survivals.reduce((sum, survival) => sum + survival.lostInOutage, 0);
  const udp = flows.filter(({ flow }) => flow.kind === "udp").length;
  return conclude(scene, "flows-survive", {
    measured: `${flows.length - dead.length} of ${flows.length} flows survived; ${lostInOutage} datagrams of ${udp} UDP flows lost in the outage`,
    allowed: `all ${flows.length}: resumed, nothing lost, doubled, reordered or corrupt, same 4-tuple, no error; UDP may lose what was sent in the outage`,
    meaning: `every flow lived on through ${transition.to}`,
    wrong: dead.map(({ flowId, faults }) => `${flowId}: ${faults.slice(0, 2).join(", ")}`),
    missing: missingFlowEvidence(scene),
    evidence: ledgersOf(dead.map(({ flowId }) => flowId)),
  });
};
