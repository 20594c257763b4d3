import type { Evidence } from "../../evidence/evidence.ts";
import type { Run } from "../../evidence/run.ts";
import type { Drops, Timeline, TimelineMoment, TimelineStep } from "../../evidence/timeline.ts";
import { healthyRun, story } from "../../judge/healthyRun.ts";
import { judge } from "../../judge/judge.ts";
import { start } from "../healthyResult.ts";
import type { RunReportInput } from "./runInput.ts";

/** A made-up run with all that a report can tell, for tests. `change` breaks its evidence before it is judged, `tell` its result after. */
export function healthyReport(flows: number, change: (evidence: Evidence) => void = () => undefined, tell: (run: Run) => Run = (run) => run): RunReportInput {
  const evidence = healthyRun(flows);
  change(evidence);
  const run = tell({
    schema: 1,
    ...start,
    ...judge(evidence),
    begun: "warm",
    timelines: [failoverTimeline(evidence)],
    drops: [noDrops],
    capture: { file: "capture.pcapng", snapLength: 144, startedAtMs: story.startMs, stoppedAtMs: story.endMs, points: [{ interface: "br0", packets: 24_924, dropped: 0 }, { interface: "fw-2.eth1", packets: 19_417, dropped: 0 }] },
    command: "npm start -- --flows 6",
    durations: { bootMs: 61_200, failoverMs: 3120, totalMs: 90_500 },
  });
  const files = new Set(["run.json", "evidence.json", "capture.pcapng", ...run.checks.flatMap((check) => check.evidence.filter((path) => !path.endsWith("/"))), ...evidence.flows.map(({ id }) => `ledgers/${id}.json`)]);
  return { run, evidence, files: [...files], read: () => Promise.resolve(undefined) };
}

const moment = (step: TimelineStep, subject: string, sinceMs: number, errorMs = 0, detail = "seen"): TimelineMoment => ({ step, subject, atMs: story.failoverMs + sinceMs, errorMs, detail, evidence: "capture.pcapng" });

/** The order and the lengths of a real failover of the reference tree. */
function failoverTimeline({ flows }: Evidence): Timeline {
  return {
    phase: "failover",
    from: "fw-1",
    to: "fw-2",
    faultAtMs: story.failoverMs,
    moments: [
      moment("last-advert", "br0", -412.3),
      moment("last-advert", "br1", -411.8),
      moment("first-advert", "br0", 2770.4),
      moment("first-advert", "br1", 2752.1),
      moment("master", "inside", 2751.2, 1.4, "(inside) Entering MASTER STATE"),
      moment("master", "outside", 2769.9, 1.4, "(outside) Entering MASTER STATE"),
      moment("address-up", "192.168.0.100", 2774.9, 1.4),
      moment("address-up", "192.168.1.100", 2776.2, 1.4),
      moment("committed", "fw-2", 2921.3, 12.5, "commit ended, 16 entries"),
      moment("announced", "br0", 2981.4),
      moment("announced", "br1", 2983.2),
      moment("forwarding-moved", "br0", 2981.6),
      moment("forwarding-moved", "br1", 2983.4),
      moment("first-forwarded", "forward", 2990.7),
      moment("first-forwarded", "reverse", 2995.1),
      moment("last-flow-moves", flows.at(-1)?.id ?? "none", 3705.4, 1.1),
    ],
    window: { fromMs: story.failoverMs + 2774.9, untilMs: story.failoverMs + 2921.3, lengthMs: 146.4, errorMs: 13.9, packets: { entered: 0, forwarded: 0, dropped: 0, answered: 0 } },
    firewallMs: 2995.1,
    flows: flows.slice(0, 20).map(({ id }, index) => ({ id, direction: "forward", lastAtMs: story.failoverMs - 40, resumedAtMs: story.failoverMs + 3004 + index * 10, firewallMs: 2990.7, backoffMs: 13.3 + index * 10 })),
  };
}

const noDrops: Drops = {
  phase: "failover",
  firewall: "fw-2",
  entered: 4180,
  forwarded: 4180,
  dropped: 0,
  flows: [],
  answered: [],
  ruleset: { counted: 4, logged: 4, loggedOfFlows: 0 },
  disagreement: null,
};
