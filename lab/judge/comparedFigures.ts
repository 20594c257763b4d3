import type { Figures, Metric } from "../evidence/metric.ts";
import type { Run } from "../evidence/run.ts";
import type { TimelineStep } from "../evidence/timeline.ts";

const steps: Partial<Record<Metric, TimelineStep>> = { masterMs: "master", addressUpMs: "address-up", announcedMs: "announced", committedMs: "committed" };

/**
 * The figures of a run's failover that runs are compared by. What was not measured, or has no end because a flow never resumed, is left out: a
 * missing figure is no figure of 0.
 */
export function comparedFigures({ outages, timelines, drops, hostDelayMs }: Pick<Run, "outages" | "timelines" | "drops"> & { readonly hostDelayMs?: number | undefined }): Figures {
  const outage = outages.find(({ phase }) => phase === "failover");
  const timeline = timelines.find(({ phase }) => phase === "failover");
  const dropped = drops.find(({ phase }) => phase === "failover")?.dropped;
  const ended = outage?.neverResumed.length === 0 ? outage : undefined;
  const found: Partial<Record<Metric, number | null | undefined>> = {
    networkMs: ended?.networkMs,
    stallMs: ended?.stalls?.max,
    firewallMs: timeline?.firewallMs,
    windowMs: timeline?.window?.lengthMs,
    dropped,
    hostDelayMs,
  };
  for (const [metric, step] of Object.entries(steps)) {
    const moments = timeline?.moments.filter((moment) => moment.step === step).map(({ atMs }) => atMs) ?? [];
    // Of several subjects the last decides, and one that was never seen has no last.
    const known = moments.filter((atMs) => atMs !== null);
    if (timeline !== undefined && known.length > 0 && known.length === moments.length) found[metric as Metric] = Math.max(...known) - timeline.faultAtMs;
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => typeof value === "number" && Number.isFinite(value)));
}
