import type { CheckResult, Outage } from "../../lab/evidence/run.ts";
import { concluded } from "../../lab/judge/concluded.ts";

/**
 * Whether no flow stood still for longer than a goodbye takes: a node that leaves says so (priority 0), and the other one waits for the skew time alone, less than a second (RFC 5798, 6.4.3), where a power
 * cut takes three adverts more. Pure: over what a run measured.
 */
export function handoverInTime({ phase, stalls }: Pick<Outage, "phase" | "stalls">, boundMs: number): CheckResult {
  const longestMs = stalls?.max;
  return concluded("handover-in-time", phase, {
    measured: longestMs === undefined ? "no flow's stall" : `the longest stall was ${Math.round(longestMs)} ms`,
    allowed: `at most ${boundMs} ms`,
    meaning: "the node that left said goodbye, and the other one heard it",
    wrong: longestMs !== undefined && longestMs > boundMs ? [`a flow stood still for ${Math.round(longestMs)} ms: nobody heard a goodbye`] : [],
    missing: longestMs === undefined ? ["no flow's stall was measured"] : [],
  });
}
