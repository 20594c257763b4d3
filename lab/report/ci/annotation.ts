import type { CheckResult, Run } from "../../evidence/run.ts";
import type { Trials } from "../../evidence/trials.ts";
import type { Validation } from "../../evidence/validation.ts";

/** A message that GitHub shows at the top of a job. */
export interface Annotation {
  readonly title: string;
  readonly message: string;
  /** An error unless another is given. */
  readonly level?: "error" | "warning" | "notice";
  /** The line it is shown at, in a file relative to the repository's root. */
  readonly at?: { readonly file: string; readonly line: number };
}

/** GitHub shows ten of a step; the first says how many there are. */
const mostShown = 10;

/** A workflow command. Source: GitHub's toolkit, packages/core/src/command.ts. */
export function errorCommand({ title, message, level = "error", at }: Annotation): string {
  const data = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (text: string) => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  const place = at === undefined ? "" : `file=${property(at.file)},line=${at.line},`;
  return `::${level} ${place}title=${property(title)}::${data(message)}`;
}

/** A check's result that can be read without anything around it: which run, what was measured and allowed, why, and where the evidence is. */
export function standsAlone({ id, phase, verdict, measured, allowed, explanation, evidence }: CheckResult, run: Run, bundle: string): string {
  const { config, fault } = run;
  return [
    `run ${run.id} (${[config.path, ...config.overlays].join(" + ")}, ${fault.id} of ${fault.target})`,
    `${id} (${phase}): ${verdict}`,
    `measured: ${measured}`,
    `allowed: ${allowed}`,
    `why: ${explanation}`,
    `evidence: ${evidence.slice(0, 3).join(", ")}${evidence.length > 3 ? ` and ${evidence.length - 3} more` : ""}`,
    `bundle: ${bundle}`,
  ].join("; ");
}

/** One for each check that does not pass; one for the run when none is to blame. Without any, it passed. @param bundle the run's folder, as a reader finds it. */
export function runAnnotations(run: Run, bundle: string): Annotation[] {
  if (run.verdict === "pass") return [];
  // The worst first: what makes the run invalid says why the rest is not to be trusted.
  const results = ["invalid", "fail"].flatMap((verdict) => run.checks.filter((check) => check.verdict === verdict));
  if (results.length === 0) return [{ title: `fwlab: run is ${run.verdict}`, message: `run ${run.id}: ${run.verdict}; why: ${run.reason}; bundle: ${bundle}` }];
  const own = results.map((check) => ({ title: `fwlab: ${check.id} (${check.phase}): ${check.verdict}`, message: standsAlone(check, run, bundle) }));
  return shown(own, { title: `fwlab: run is ${run.verdict}`, message: `run ${run.id}: ${run.reason}; bundle: ${bundle}` });
}

/** One for each trial that does not pass, or for the trials when none is to blame. @param folder of trials.json, as a reader finds it. */
export function trialsAnnotations({ id, verdict, reason, trials, planned }: Trials, folder: string): Annotation[] {
  if (verdict === "pass") return [];
  const whole = { title: `fwlab: trials are ${verdict}`, message: `trials ${id}: ${verdict}; why: ${reason}; folder: ${folder}` };
  const own = trials
    .filter((trial) => trial.verdict !== "pass")
    .map((trial) => ({
      title: `fwlab: trial ${trial.number} of ${planned}: ${trial.verdict}`,
      message: `trials ${id}, trial ${trial.number} of ${planned}, offset ${trial.offsetMs.toFixed(3)} ms: ${trial.verdict}; ${trial.failedChecks.length > 0 ? `failed checks: ${trial.failedChecks.join(", ")}; ` : ""}why: ${trial.reason}; bundle: ${folder}/${trial.bundle}`,
    }));
  return own.length === 0 ? [whole] : shown(own, whole);
}

/** One for each finding above a hint, at its line, and one for each failing check that no finding explains. @param inRepository where a finding's file is in the repository. */
export function validationAnnotations({ id, verdict, reason, findings, run }: Validation, folder: string, inRepository: (file: string) => string): Annotation[] {
  const found = findings
    .filter(({ severity }) => severity !== "hint")
    .map((finding) => ({
      title: `fwlab: ${finding.id} (${finding.certainty})`,
      message: `${finding.wrong}; causes: ${finding.causes}; remedy: ${finding.remedy}`,
      level: finding.severity === "error" ? ("error" as const) : ("warning" as const),
      at: { file: inRepository(finding.file), line: finding.line ?? 1 },
    }));
  const unexplained = (run?.failing ?? [])
    .filter(({ explainedBy }) => explainedBy.length === 0)
    .map((check) => ({ title: `fwlab: ${check.id} (${check.phase}): ${check.verdict}`, message: `validation ${id}: measured: ${check.measured}; allowed: ${check.allowed}; why: ${check.explanation}; bundle: ${folder}` }));
  const own = [...unexplained, ...found];
  const whole = { title: `fwlab: validation is ${verdict}`, message: `validation ${id}: ${verdict}; why: ${reason}; folder: ${folder}` };
  return own.length === 0 ? (verdict === "pass" ? [] : [whole]) : shown(own, whole);
}

function shown(own: readonly Annotation[], whole: Annotation): Annotation[] {
  return own.length <= mostShown ? [...own] : [{ ...whole, message: `${own.length} findings, the first ${mostShown - 1} follow; ${whole.message}` }, ...own.slice(0, mostShown - 1)];
}
