import { median } from "simple-statistics";
import { metricIds, type Metric } from "../evidence/metric.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import { changedBetween, type DifferingFiles } from "./changed.ts";
import type { Changed, ChangeVerdict, CheckChange, Comparison, MetricChange } from "./comparison.ts";
import { metricTraits, shiftText } from "./metricText.ts";
import { sentence, type Subject } from "./pooled.ts";
import { canBeTold, differenceOf, holm, neededEach, type Difference } from "./significance.ts";

/**
 * What a shift has to be so that it is called a regression: sure (the p value, corrected for the number of metrics), large against how far the values lie
 * apart anyway (Cliff's delta; 0.474 is "large" by Romano et al., 2006), and of a size that somebody minds (percent of the base's median, and the
 * metric's own floor).
 */
export const thresholds = { alpha: 0.05, effect: 0.474, percent: 10 } as const;

/** The check whose failing is a matter of time alone: the metrics judge that better than a count of bounds overstepped. */
const timedCheck = "outage-in-bound";

/**
 * Says what got worse, better, or stayed, and what cannot be told from so few. Never from one number: a metric with too few values is named as such.
 * A check is no number: one that held in every failover of the base and fails now has got worse, however few they are.
 * @throws Failure (usage) when the two are not of one topology and fault.
 */
export async function compare(base: Subject, next: Subject, differingFiles: DifferingFiles = () => Promise.resolve(undefined)): Promise<Comparison> {
  if (sentence(base) !== sentence(next)) {
    throw new Failure({
      tried: `compare ${base.summary.name} with ${next.summary.name}`,
      seen: `the one is ${sentence(base)}, the other ${sentence(next)}`,
      remedy: "Compare runs of one topology and fault",
      exit: exitCode.usage,
    });
  }
  const changed = await changedBetween(base, next, differingFiles);
  const metrics = ["outcome", "phase", "host"].flatMap((family) => metricChanges(base, next, family));
  const checks = checkChanges(base, next);
  const confounded = changed.filter(({ confounds }) => confounds);
  const worse = metrics.filter(({ verdict, family }) => verdict === "worse" && family !== "host");
  const lateByMs = changed.find(({ what }) => what === "host-noise")?.lateByMs ?? 0;
  // A starved host delays the pair too. By how much it was late itself is what it may be blamed for.
  const worseTimes = confounded.length > 0 ? [] : worse.filter(({ unit, shift }) => unit !== "ms" || (shift ?? 0) > lateByMs);
  const timesCount = confounded.length === 0 && (lateByMs === 0 || worseTimes.length > 0);
  const worseChecks = checks.filter(({ id, verdict }) => verdict === "worse" && (id !== timedCheck || timesCount));
  const excused = [...worse.filter((each) => !worseTimes.includes(each)).map(timeText), ...checks.filter((each) => each.verdict === "worse" && !worseChecks.includes(each)).map(checkText)];
  return {
    schema: 1,
    regression: worseTimes.length + worseChecks.length > 0,
    reason: reasonOf({ metrics: metrics.filter(({ family }) => family !== "host"), worse: [...worseChecks.map(checkText), ...worseTimes.map(timeText)], excused, changed }),
    topology: next.topology,
    fault: { id: next.fault.id, target: next.fault.target },
    base: base.summary,
    new: next.summary,
    changed,
    metrics,
    checks,
    thresholds: { ...thresholds, floors: Object.fromEntries(metricIds.map((metric) => [metric, metricTraits[metric].floor])) },
  };
}

function metricChanges(base: Subject, next: Subject, family: string): MetricChange[] {
  const ofFamily = metricIds.filter((metric) => metricTraits[metric].family === family);
  const tested = ofFamily.filter((metric) => valuesOf(base, metric).length > 0 && valuesOf(next, metric).length > 0);
  // A figure of the pair that one side lacks is named; what only one side tells of its host is no news.
  const metrics = family === "host" ? tested : ofFamily.filter((metric) => valuesOf(base, metric).length > 0 || valuesOf(next, metric).length > 0);
  const differences = new Map(tested.map((metric) => [metric, differenceOf(valuesOf(base, metric), valuesOf(next, metric))]));
  const corrected = holm(tested.map((metric) => differences.get(metric)?.p ?? 1));
  return metrics.map((metric) => {
    const place = tested.indexOf(metric);
    return metricChange(metric, valuesOf(base, metric), valuesOf(next, metric), { difference: differences.get(metric), adjustedP: corrected[place], tests: tested.length });
  });
}

function valuesOf({ samples }: Subject, metric: Metric): readonly number[] {
  return samples[metric] ?? [];
}

interface Tested {
  readonly difference: Difference | undefined;
  readonly adjustedP: number | undefined;
  /** How many tests the family has. */
  readonly tests: number;
}

function metricChange(metric: Metric, base: readonly number[], next: readonly number[], { difference, adjustedP, tests }: Tested): MetricChange {
  const { name, unit, family } = metricTraits[metric];
  const medians = [base, next].map((values) => (values.length === 0 ? null : median([...values])));
  const [baseMedian = null, newMedian = null] = medians;
  const shiftPercent = difference === undefined || baseMedian === null || baseMedian <= 0 ? null : (difference.shift / baseMedian) * 100;
  return {
    ...{ metric, name, unit, family },
    base: { n: base.length, median: baseMedian },
    new: { n: next.length, median: newMedian },
    ...{ shift: difference?.shift ?? null, shiftPercent, effect: difference?.effect ?? null, p: difference?.p ?? null, adjustedP: adjustedP ?? null },
    ...judged(metric, [base.length, next.length], { difference, adjustedP, tests }, shiftPercent),
  };
}

function judged(metric: Metric, [baseSize, newSize]: readonly [number, number], { difference, adjustedP, tests }: Tested, shiftPercent: number | null): { verdict: ChangeVerdict; why: string } {
  if (difference === undefined || adjustedP === undefined) {
    return { verdict: "cannot-be-told", why: baseSize === 0 ? "not measured in the base" : "not measured in the new one" };
  }
  if (!canBeTold(baseSize, newSize, tests, thresholds.alpha)) {
    return { verdict: "cannot-be-told", why: `${baseSize} against ${newSize} are too few: ${neededEach(tests, thresholds.alpha)} each are needed` };
  }
  const { shift, effect } = difference;
  const told = `p ${pText(adjustedP)}, effect ${effect.toFixed(2)}`;
  if (adjustedP > thresholds.alpha) return { verdict: "unchanged", why: `no shift is shown: ${told}` };
  const { floor } = metricTraits[metric];
  if (Math.abs(effect) < thresholds.effect) return { verdict: "unchanged", why: `the values lie too far apart anyway: ${told}` };
  if (Math.abs(shift) < floor || (shiftPercent !== null && Math.abs(shiftPercent) < thresholds.percent)) {
    return { verdict: "unchanged", why: `${shiftText(metric, shift)} is sure, but less than ${thresholds.percent} % or ${floor}: ${told}` };
  }
  return { verdict: shift > 0 ? "worse" : "better", why: told };
}

/** A p value as it is told. */
export function pText(p: number): string {
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** Fisher's exact test, as the permutation test of "failed" and "held". */
function checkChanges(base: Subject, next: Subject): CheckChange[] {
  const ids = [...new Set([...Object.keys(base.failedChecks), ...Object.keys(next.failedChecks)])].toSorted();
  const of = ({ summary: { counts } }: Subject) => counts.pass + counts.fail;
  return ids.map((id) => {
    const [before, now] = [base, next].map((subject) => ({ failed: subject.failedChecks[id] ?? 0, of: of(subject) })) as [CheckChange["base"], CheckChange["new"]];
    const outcomes = ({ failed, of: all }: CheckChange["base"]) => Array.from({ length: all }, (_, index) => (index < failed ? 1 : 0));
    const { p, effect } = differenceOf(outcomes(before), outcomes(now));
    return { id, base: before, new: now, p, ...checkVerdict(id, before, now, { p, effect }) };
  });
}

function checkVerdict(id: string, before: CheckChange["base"], now: CheckChange["new"], { p, effect }: Pick<Difference, "p" | "effect">): { verdict: ChangeVerdict; why: string } {
  const told = `failed in ${before.failed} of ${before.of}, now in ${now.failed} of ${now.of}; p ${pText(p)}`;
  if (p <= thresholds.alpha) return { verdict: effect > 0 ? "worse" : "better", why: told };
  if (id !== timedCheck && before.failed === 0) return { verdict: "worse", why: `held in all ${before.of}, and failed in ${now.failed} of ${now.of}` };
  return { verdict: "cannot-be-told", why: told };
}

interface Found {
  readonly metrics: readonly MetricChange[];
  /** What is blamed on what was tested, and what got worse and is not. */
  readonly worse: readonly string[];
  readonly excused: readonly string[];
  readonly changed: readonly Changed[];
}

function timeText({ name, metric, shift, base, new: now }: MetricChange): string {
  return `${name} ${shiftText(metric, shift ?? 0)} (n ${base.n} and ${now.n})`;
}

function checkText({ id, why }: CheckChange): string {
  return `${id} ${why}`;
}

function reasonOf({ metrics, worse, excused, changed }: Found): string {
  const named = changed.length === 0 ? "" : `; what changed: ${changed.map(({ what }) => what).join(", ")}`;
  const aside = excused.length === 0 ? "" : `; not to be blamed on the pair, as it was measured otherwise: ${excused.join("; ")}`;
  if (worse.length > 0) return `worse: ${worse.join("; ")}${aside}${named}`;
  const untold = metrics.filter(({ verdict }) => verdict === "cannot-be-told").length;
  const told = metrics.length - untold;
  const rest = untold === 0 ? "" : `, ${untold} cannot be told`;
  if (excused.length > 0) return `nothing got worse that is to be blamed on the pair${aside}${named}`;
  return told === 0 ? `nothing can be told from so few${named}` : `nothing got worse: ${told} of ${metrics.length} metrics compared${rest}${named}`;
}
