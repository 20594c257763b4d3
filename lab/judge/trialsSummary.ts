import { linearRegression, sum } from "simple-statistics";
import type { Trial, TrialDistribution, Trials, TrialsSummary } from "../evidence/trials.ts";
import { distributionOf } from "./distribution.ts";
import { firstOf, ms } from "./scene.ts";

/**
 * Sums up trials. Fail when a valid trial failed; else invalid when a trial is invalid or is missing of those that were planned; pass only
 * when every planned trial passed. Pure: the same trials give the same summary, in whatever order they are listed.
 * @param planned how many trials were asked for, so that those which were never made cannot pass.
 */
export function summarizeTrials(trials: readonly Trial[], planned: number): Pick<Trials, "summary" | "verdict" | "reason"> {
  const summary = summaryOf(trials);
  return { summary, ...verdictOf(trials.toSorted((a, b) => a.number - b.number), planned, summary) };
}

/** The valid trials' outages of the network, in milliseconds: those that the distribution `outageMs` is over. */
export function measuredOutages(trials: readonly Trial[]): number[] {
  return ended(trials).flatMap(({ outage }) => outage?.networkMs ?? []);
}

/** Whether a flow of the trial never resumed. Such an outage has no end, whatever the flows that did resume tell. */
export function hasNoEnd({ outage }: Trial): boolean {
  return outage !== null && outage.neverResumed.length > 0;
}

function summaryOf(trials: readonly Trial[]): TrialsSummary {
  const counted = (verdict: Trial["verdict"]) => trials.filter((trial) => trial.verdict === verdict).length;
  const valid = validOf(trials);
  const costs = valid.flatMap(({ number, durations }) => (durations["totalMs"] === undefined ? [] : [[number, durations["totalMs"]]]));
  return {
    counts: { pass: counted("pass"), fail: counted("fail"), invalid: counted("invalid") },
    neverResumed: valid.filter(hasNoEnd).length,
    outageMs: overTrials(measuredOutages(trials)),
    longestStallMs: overTrials(ended(trials).flatMap(({ outage }) => outage?.stalls?.max ?? [])),
    flowsSurvived: { survived: sum(valid.map(({ survived }) => survived)), of: sum(valid.map(({ flows }) => flows)) },
    trialMs: overTrials(costs.flatMap(([, totalMs]) => totalMs ?? [])),
    // Through fewer than two points there is no line.
    costSlopeMsPerTrial: costs.length < 2 ? null : toTenths(linearRegression(costs).m),
  };
}

function validOf(trials: readonly Trial[]): Trial[] {
  return trials.filter(({ verdict }) => verdict !== "invalid");
}

function ended(trials: readonly Trial[]): Trial[] {
  return validOf(trials).filter((trial) => !hasNoEnd(trial));
}

function overTrials(lengthsMs: readonly number[]): TrialDistribution | null {
  const distribution = distributionOf(lengthsMs);
  return distribution && { ...distribution, trials: lengthsMs.length };
}

function toTenths(value: number): number {
  // Never -0, which is 0 once it is written and read again.
  return Math.round(value * 10) / 10 + 0;
}

function verdictOf(trials: readonly Trial[], planned: number, { counts, outageMs, flowsSurvived, neverResumed }: TrialsSummary): Pick<Trials, "verdict" | "reason"> {
  const total = Math.max(planned, trials.length);
  const missing = total - trials.length;
  const invalid = trials.filter(({ verdict }) => verdict === "invalid");
  const untold = [
    ...(invalid.length > 0 ? [`${invalid.length} invalid: ${firstOf(invalid.map(({ number, reason }) => `trial ${number}, ${reason}`), "; ")}`] : []),
    ...(missing > 0 ? [`${missing} not made`] : []),
  ];
  if (counts.fail > 0) {
    const failed = trials.filter(({ verdict }) => verdict === "fail").map(({ number, failedChecks }) => `trial ${number} by ${firstOf(failedChecks)}`);
    const unended = neverResumed > 0 ? [`in ${neverResumed} a flow never resumed`] : [];
    return { verdict: "fail", reason: [`${counts.fail} of ${total} trials failed: ${firstOf(failed, "; ")}`, ...unended, ...untold].join("; ") };
  }
  if (untold.length > 0 || total === 0) return { verdict: "invalid", reason: `${counts.pass} of ${total} trials passed, and none failed, but ${untold.join("; ") || "none was planned"}` };
  const worst = outageMs === null ? "" : `, the network's own outage was ${ms(outageMs.max)} at most`;
  return { verdict: "pass", reason: `all ${total} trials passed: ${flowsSurvived.survived} of ${flowsSurvived.of} flows survived${worst}` };
}
