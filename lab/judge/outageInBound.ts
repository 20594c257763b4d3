import { distributionText } from "./distribution.ts";
import { outageFigures, tellsNetwork } from "./outage.ts";
import { conclude, firstOf, ledgersOf, missingFlowEvidence, ms, type Check } from "./scene.ts";

/**
 * The longest stall of every flow that ended in this transition is within the bound. Lengths are of the receivers' own clocks, to the millisecond.
 * A flow is silent between two records by its own will, so its pace is taken off before a stall is held against the bound.
 * An idle flow has no stall; the time that its records were under way once it was told to speak is held against the bound instead.
 * A flow that never resumed makes no gap, so it fails by itself.
 */
export const outageInBound: Check = (scene) => {
  const { outageBoundMs } = scene.transition;
  const { networkMs, stalls, longestIdleWaitMs, neverResumed, flowStalls, unmeasured } = outageFigures(scene);
  const paces = new Map(scene.flows.map(({ flow }) => [flow.id, flow.intervalMs]));
  const over = flowStalls.map((stall) => ({ ...stall, paceMs: stall.idle ? 0 : (paces.get(stall.id) ?? 0) })).filter(({ lengthMs, paceMs }) => lengthMs - paceMs > outageBoundMs);
  const wrong = over.map(({ id, lengthMs, paceMs }) => `${id} stood still for ${ms(lengthMs)} at a pace of ${ms(paceMs)}`);
  if (neverResumed.length > 0) wrong.unshift(`never resumed: ${firstOf(neverResumed)}`);
  if (unmeasured > 0) wrong.push(`${unmeasured} flows have too few records for a stall`);
  const worst = flowStalls[0];
  const idle = flowStalls.filter((stall) => stall.idle).length;
  return conclude(scene, "outage-in-bound", {
    measured: [
      worst === undefined ? "no flow resumed" : `longest stall ${ms(worst.lengthMs)} (${worst.id})`,
      stalls === null ? undefined : `${distributionText(stalls)} over ${flowStalls.length - idle} flows`,
      networkMs === null ? undefined : `network's own outage by ${flowStalls.filter(tellsNetwork).length} UDP flows ${ms(networkMs)}`,
      longestIdleWaitMs === null ? undefined : `longest wait of ${idle} idle flows once told ${ms(longestIdleWaitMs)}`,
      neverResumed.length > 0 ? `${neverResumed.length} flows never resumed` : undefined,
    ]
      .filter((part) => part !== undefined)
      .join("; "),
    allowed: `at most ${ms(outageBoundMs)} beyond the pause between its records, for every flow`,
    meaning: `no flow stood still for longer than ${ms(outageBoundMs)} beyond its pace`,
    wrong,
    missing: missingFlowEvidence(scene),
    evidence: ledgersOf(worst === undefined ? neverResumed : [...over.map(({ id }) => id), worst.id, ...neverResumed]),
  });
};
