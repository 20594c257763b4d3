import { conclude, ms, type Check } from "./scene.ts";

/** The fault had its effect, seen from outside its target, between the two observations. If not, the run says nothing: invalid. */
export const faultBit: Check = (scene) => {
  const { fault, before, unseenBefore, after } = scene.transition;
  const missing: string[] = [];
  if (!fault.effect.bit) missing.push(`${fault.id} on ${fault.target} did not bite: ${fault.effect.measured}`);
  if (unseenBefore === undefined && !(before.atMs <= fault.atMs)) missing.push(`the observation "${before.moment}" is ${ms(before.atMs - fault.atMs)} later than the fault`);
  if (!(fault.atMs <= after.atMs)) missing.push(`the observation "${after.moment}" is ${ms(fault.atMs - after.atMs)} earlier than the fault`);
  return conclude(scene, "fault-bit", {
    measured: fault.effect.measured,
    allowed: `${fault.id} takes effect on ${fault.target}, after the first observation and before the last`,
    meaning: `${fault.id} on ${fault.target} had its effect`,
    wrong: [],
    missing,
    evidence: [fault.effect.evidence],
  });
};
