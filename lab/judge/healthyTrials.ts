import type { Outage } from "../evidence/run.ts";
import type { Trial } from "../evidence/trials.ts";

/** A made-up trial in which all is well, for tests of judge and report. `change` replaces some of it. */
export function healthyTrial(number: number, change: Partial<Trial> = {}): Trial {
  return {
    number,
    offsetMs: number * 40 - 0.5,
    struckMs: number * 40,
    verdict: "pass",
    reason: "all 50 flows survived failover, and all 10 checks hold",
    bundle: `trial-${String(number).padStart(3, "0")}`,
    outage: outage(3000 + number * 10),
    survived: 50,
    flows: 50,
    failedChecks: [],
    durations: { restoreMs: 1100, totalMs: 12_000 },
    ...change,
  };
}

/** A failover's outage in which all flows resumed; TCP flows stood still up to a second longer than the network. */
export function outage(networkMs: number, change: Partial<Outage> = {}): Outage {
  const stalls = { min: networkMs, median: networkMs + 200, p95: networkMs + 900, max: networkMs + 1000 };
  return { phase: "failover", networkMs, stalls, longestIdleWaitMs: 5, neverResumed: [], survived: 50, flows: 50, ...change };
}

export function healthyTrials(count: number): Trial[] {
  return Array.from({ length: count }, (_, index) => healthyTrial(index + 1));
}

/** A trial that failed: two flows never resumed. Of those that did, UDP tells an outage that is shorter than any other trial's. */
export function unresumedTrial(number: number): Trial {
  return healthyTrial(number, {
    verdict: "fail",
    reason: "flows-survive (failover): tcp-007: forward: nothing sent after the fault arrived; also outage-in-bound (failover)",
    outage: outage(10, { neverResumed: ["tcp-007", "tcp-008"], survived: 48 }),
    survived: 48,
    failedChecks: ["flows-survive", "outage-in-bound"],
  });
}

/** A trial that cannot be judged, with figures that would spoil every distribution. */
export function invalidTrial(number: number): Trial {
  return healthyTrial(number, {
    verdict: "invalid",
    reason: "host-health (run): cannot be judged: the host was starved, so a stall may be the host's and not the firewalls'",
    outage: outage(99_999, { survived: 0 }),
    survived: 0,
    durations: { totalMs: 600_000 },
  });
}
