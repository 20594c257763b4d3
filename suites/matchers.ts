// For the types of a repository that installed fwlab: a declaration file adds to a module that it imports.
import "vitest";
import { expect } from "vitest";
import type { Verdict } from "../lab/evidence/run.ts";
import type { CheckId } from "../lab/judge/judge.ts";
import { standsAlone } from "../lab/report/ci/annotation.ts";
import type { FinishedRun } from "../lab/run/judgedRun.ts";
import { portablePath } from "../lab/run/portablePath.ts";

/** Asserts that every result of each named check has the verdict: of all of a run's transitions, and at least one. */
function haveVerdict({ run, bundle }: FinishedRun, verdict: Verdict, ids: readonly CheckId[]): { pass: boolean; message: () => string } {
  const folder = portablePath(bundle);
  const faults = ids.flatMap((id) => {
    const results = run.checks.filter((check) => check.id === id);
    return results.length === 0 ? [`run ${run.id}: ${id}: not judged; bundle: ${folder}`] : results.filter((result) => result.verdict !== verdict).map((result) => standsAlone(result, run, folder));
  });
  const lines = [
    `expected ${verdict} of ${ids.join(", ")}`,
    ...faults,
    `the run's verdict: ${run.verdict}, ${run.reason}`,
    `its bundle: ${folder}`,
  ];
  return { pass: faults.length === 0, message: () => lines.join("\n") };
}

expect.extend({
  toPass: (finished: FinishedRun, ...ids: CheckId[]) => haveVerdict(finished, "pass", ids),
  toFail: (finished: FinishedRun, ...ids: CheckId[]) => haveVerdict(finished, "fail", ids),
});

declare module "vitest" {
  interface Assertion {
    /** The named checks hold in every transition of the run. */
    toPass(...ids: CheckId[]): void;
    /** The named checks fail in every transition of the run. */
    toFail(...ids: CheckId[]): void;
  }
}
