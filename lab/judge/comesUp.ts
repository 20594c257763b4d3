import type { Arrival, ComingUp, TroubledUnit } from "../evidence/comingUp.ts";
import type { CheckResult } from "../evidence/run.ts";
import { firstOf } from "./scene.ts";

/**
 * The pair came up, in its bounds: its machines started what their config tree says, one firewall came to own the virtual addresses, the flows
 * opened; and no unit of the firewalls failed or starts again and again. It is the pair's failure and not the run's when it did not: the machines
 * themselves answered.
 */
export function comesUp({ arrivals, units, evidence }: ComingUp): CheckResult {
  const missed = arrivals.filter(({ reached }) => !reached);
  const wrong = [...missed.map(missedText), ...units.map(unitText)];
  const seconds = (of: readonly Arrival[], time: (arrival: Arrival) => number) => of.map((arrival) => `${arrival.what} ${(time(arrival) / 1000).toFixed(1)} s`).join(", ");
  return {
    id: "comes-up",
    phase: "run",
    verdict: wrong.length === 0 ? "pass" : "fail",
    measured: `${[seconds(arrivals.filter(({ reached }) => reached), ({ tookMs }) => tookMs), ...missed.map(({ what }) => `${what} never`)].filter((part) => part !== "").join(", ")}; ${units.length} units in trouble`,
    allowed: `within ${seconds(arrivals, ({ withinMs }) => withinMs)}; no unit in trouble`,
    explanation: wrong.length === 0 ? "the pair came up, and all its units with it" : firstOf(wrong, "; "),
    evidence: [...new Set(evidence)],
  };
}

function missedText({ what, seen, withinMs }: Arrival): string {
  return `${what} not within ${(withinMs / 1000).toFixed(0)} s; seen last: ${seen}`;
}

function unitText({ machine, unit, state, journal }: TroubledUnit): string {
  const last = journal.at(-1);
  return `${machine}: ${unit} is ${state}${last === undefined ? "" : `: ${last}`}`;
}
