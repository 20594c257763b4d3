import { certainties, severities, type Finding } from "../evidence/finding.ts";
import type { CheckResult } from "../evidence/run.ts";

/** A check that fails, with the findings that explain it. */
export interface Explanation {
  readonly check: CheckResult;
  /** The best first: the gravest, the surest among those, and then the one that explains most of what fails. */
  readonly findings: readonly Finding[];
}

/**
 * For each check that fails, in the order of the checks, the findings that say of themselves that a run fails it by them. A check that fails without one has
 * none; one that cannot judge is explained by no file. Pure: the same checks and findings give the same explanations.
 */
export function explanations(checks: readonly CheckResult[], findings: readonly Finding[]): Explanation[] {
  const failing = checks.filter(({ verdict }) => verdict === "fail");
  const better = byWorth(failing);
  return failing.map((check) => ({ check, findings: findings.filter(({ explains }) => explains.includes(check.id)).toSorted(better) }));
}

/** The finding that explains a failing verdict best: of those that explain any check the gravest, the surest, the one that explains most. */
export function bestExplanation(checks: readonly CheckResult[], findings: readonly Finding[]): Finding | undefined {
  const failing = checks.filter(({ verdict }) => verdict === "fail");
  return findings.filter(({ explains }) => failing.some(({ id }) => explains.includes(id))).toSorted(byWorth(failing))[0];
}

/** A verdict's reason with the finding that explains it, in one line; the reason as it was where none does. */
export function explainedReason(reason: string, checks: readonly CheckResult[], findings: readonly Finding[]): string {
  const best = bestExplanation(checks, findings);
  return best === undefined ? reason : `${reason}; explained by ${best.line === null ? best.file : `${best.file}:${best.line}`} (${best.id}, ${best.certainty}): ${best.wrong}`;
}

/** Equals keep their order. */
function byWorth(failing: readonly CheckResult[]): (a: Finding, b: Finding) => number {
  const explained = ({ explains }: Finding): number => failing.filter(({ id }) => explains.includes(id)).length;
  return (a, b) =>
    severities.indexOf(a.severity) - severities.indexOf(b.severity) || certainties.indexOf(a.certainty) - certainties.indexOf(b.certainty) || explained(b) - explained(a);
}
