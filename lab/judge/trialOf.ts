import type { Run } from "../evidence/run.ts";
import type { Trial } from "../evidence/trials.ts";
import { comparedFigures } from "./comparedFigures.ts";

/** What is known of a trial beside its run. */
export type TrialFacts = Pick<Trial, "number" | "offsetMs" | "struckMs" | "bundle">;

/** A run that was one of several trials, as `trials.json` tells it. Durations are the run's own. */
export function trialOf(run: Run, { number, offsetMs, struckMs, bundle }: TrialFacts): Trial {
  const { verdict, reason, outages, flows, checks, durations } = run;
  return {
    number,
    offsetMs,
    struckMs,
    verdict,
    reason,
    bundle,
    outage: outages.find(({ phase }) => phase === "failover") ?? null,
    survived: flows.filter(({ survived }) => survived).length,
    flows: flows.length,
    failedChecks: [...new Set(checks.filter((check) => check.verdict === "fail").map(({ id }) => id))],
    durations,
    figures: comparedFigures(run),
  };
}
