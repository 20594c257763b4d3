import { median } from "simple-statistics";
import type { HistoryEntry } from "../evidence/history.ts";
import type { Changed } from "./comparison.ts";
import { metricTraits } from "./metricText.ts";
import type { Subject } from "./pooled.ts";
import { differenceOf } from "./significance.ts";

/** Noise need not be beyond doubt to be named: it excuses no more than it measures itself. */
const noiseAlpha = 0.1;

/** Finds the files in which two config trees differ; undefined when a tree is not there any more. */
export type DifferingFiles = (base: HistoryEntry, next: HistoryEntry) => Promise<readonly string[] | undefined>;

const parts: readonly { readonly what: Changed["what"]; readonly confounds: boolean; readonly tell: (entry: HistoryEntry) => string }[] = [
  { what: "config", confounds: false, tell: ({ config }) => `${[config.path, ...config.overlays].join(" + ")} (sha256 ${config.sha256.slice(0, 12)})` },
  { what: "guest-kernel", confounds: false, tell: ({ host }) => host.guestKernel },
  { what: "qemu", confounds: false, tell: ({ host }) => host.qemu },
  { what: "accelerator", confounds: true, tell: ({ host }) => host.accelerator },
  { what: "cores", confounds: true, tell: ({ host }) => String(host.cores) },
  { what: "flows", confounds: true, tell: ({ flows }) => String(flows.total) },
  // A run boots or restores idle machines, trials restore live flows: the failover itself is the same.
  { what: "kind", confounds: false, tell: ({ kind }) => kind },
];

/** What is not the same on both sides, beside the pair's own doing. */
export async function changedBetween(base: Subject, next: Subject, differingFiles: DifferingFiles): Promise<Changed[]> {
  const found: Changed[] = [];
  for (const { what, confounds, tell } of parts) {
    const [before, now] = [told(base, what, tell), told(next, what, tell)];
    if (what === "config" ? sameConfigs(base, next) : before === now) continue;
    const files = what === "config" ? await filesOf(base, next, differingFiles) : undefined;
    found.push({ what, base: before, new: now, confounds, ...(files !== undefined && { files: [...files] }) });
  }
  const noise = hostNoise(base, next);
  return noise === undefined ? found : [...found, noise];
}

/** What was not the same in two nights beside the pair's own doing, each in a few words. */
export function namedBetween(before: HistoryEntry, now: HistoryEntry): string[] {
  return parts.flatMap(({ what, tell }) => {
    const same = what === "config" ? before.config.sha256 === now.config.sha256 : tell(before) === tell(now);
    return same ? [] : [`${what}: ${tell(before)} → ${tell(now)}`];
  });
}

function told({ entries }: Subject, what: Changed["what"], tell: (entry: HistoryEntry) => string): string {
  return [...new Set(entries.map(tell))].toSorted().join(what === "config" ? "; " : ", ");
}

/** The same files are the same config, wherever they lie. */
function sameConfigs(base: Subject, next: Subject): boolean {
  const hashes = ({ entries }: Subject) => [...new Set(entries.map(({ config }) => config.sha256))].toSorted().join(" ");
  return hashes(base) === hashes(next);
}

async function filesOf(base: Subject, next: Subject, differingFiles: DifferingFiles): Promise<readonly string[] | undefined> {
  const [before, now] = [base.entries.at(-1), next.entries.at(-1)];
  return before !== undefined && now !== undefined ? differingFiles(before, now) : undefined;
}

/**
 * The host was later than before, or less late, surely and by much: its timers, or the strikes that it could not prepare in time. Told whichever way it went,
 * as a host that was starved in the base flatters the new one.
 */
function hostNoise(base: Subject, next: Subject): Changed | undefined {
  const found = (["hostDelayMs", "strikeLateMs"] as const).flatMap((metric) => {
    const [before = [], now = []] = [base.samples[metric], next.samples[metric]];
    if (before.length === 0 || now.length === 0) return [];
    const { shift, p } = differenceOf(before, now);
    return p <= noiseAlpha && Math.abs(shift) >= metricTraits[metric].floor ? [{ metric, shift, before: median(before), now: median(now) }] : [];
  });
  const late = (side: "before" | "now") => found.map((each) => `${metricTraits[each.metric].name} ${Math.round(each[side])} ms (median)`).join(", ");
  if (found.length === 0) return undefined;
  return { what: "host-noise", base: late("before"), new: late("now"), confounds: false, lateByMs: Math.max(0, ...found.map(({ shift }) => shift)) };
}
