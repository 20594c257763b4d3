import { max, median, min, quantile } from "simple-statistics";
import { longestStall, resumption } from "./figures.ts";
import { conclude, firstOf, ledgersOf, missingFlowEvidence, ms, type Check } from "./scene.ts";

/**
 * The longest stall of every flow that ended in this transition is within the bound. Lengths are of the receivers' own clocks, to the millisecond.
 * A flow is silent between two records by its own will, so its pace is taken off before a stall is held against the bound.
 * An idle flow has no stall; the time that its records were under way once it was told to speak is held against the bound instead.
 * UDP flows tell the network's own outage: TCP adds its retransmission back-off. A flow that never resumed makes no gap, so it fails by itself.
 */
export const outageInBound: Check = (scene) => {
  const { transition, flows, startMs, untilMs } = scene;
  const { fault, after, outageBoundMs } = transition;
  const resumed = flows.filter(({ speaking }) => speaking.length > 0 && speaking.every((direction) => resumption(direction, fault.atMs, untilMs) !== undefined));
  const never = flows.filter((figures) => !resumed.includes(figures)).map(({ flow }) => flow.id);
  const stalls = resumed.flatMap((figures) => {
    const stall = longestStall(figures, startMs, untilMs, after.atMs);
    return stall === undefined || Number.isNaN(stall.lengthMs) ? [] : [{ id: figures.flow.id, kind: figures.flow.kind, idle: figures.flow.mode === "idle", ms: stall.lengthMs, paceMs: figures.flow.mode === "idle" ? 0 : figures.flow.intervalMs }];
  });
  const worst = stalls.toSorted((a, b) => b.ms - a.ms);
  const over = worst.filter((stall) => stall.ms - stall.paceMs > outageBoundMs);
  const unmeasured = resumed.length - stalls.length;
  const wrong = over.map((stall) => `${stall.id} stood still for ${ms(stall.ms)} at a pace of ${ms(stall.paceMs)}`);
  if (never.length > 0) wrong.unshift(`never resumed: ${firstOf(never)}`);
  if (unmeasured > 0) wrong.push(`${unmeasured} flows have too few records for a stall`);
  const lengths = stalls.filter((stall) => !stall.idle).map((stall) => stall.ms);
  const waits = stalls.filter((stall) => stall.idle).map((stall) => stall.ms);
  const udp = stalls.filter((stall) => stall.kind === "udp").map((stall) => stall.ms);
  return conclude(scene, "outage-in-bound", {
    measured: [
      worst[0] === undefined ? "no flow resumed" : `longest stall ${ms(worst[0].ms)} (${worst[0].id})`,
      lengths.length > 0 ? `min ${ms(min(lengths))}, median ${ms(median(lengths))}, p95 ${ms(quantile(lengths, 0.95))}, max ${ms(max(lengths))} over ${lengths.length} flows` : undefined,
      udp.length > 0 ? `network's own outage by ${udp.length} UDP flows ${ms(max(udp))}` : undefined,
      waits.length > 0 ? `longest wait of ${waits.length} idle flows once told ${ms(max(waits))}` : undefined,
      never.length > 0 ? `${never.length} flows never resumed` : undefined,
    ]
      .filter((part) => part !== undefined)
      .join("; "),
    allowed: `at most ${ms(outageBoundMs)} beyond the pause between its records, for every flow`,
    meaning: `no flow stood still for longer than ${ms(outageBoundMs)} beyond its pace`,
    wrong,
    missing: missingFlowEvidence(scene),
    evidence: ledgersOf(worst[0] === undefined ? never : [...over.map((stall) => stall.id), worst[0].id, ...never]),
  });
};
