import { median } from "simple-statistics";
import type { HistoryEntry } from "../evidence/history.ts";
import { metricIds, type Metric } from "../evidence/metric.ts";
import { namedBetween } from "./changed.ts";
import { changePoints } from "./changePoints.ts";
import { thresholds } from "./compare.ts";
import { metricTraits } from "./metricText.ts";

/** A night of a series: the median of what was measured in it. */
export interface Night {
  readonly entry: HistoryEntry;
  readonly value: number;
  /** Over how many failovers, and the least and largest of them. */
  readonly n: number;
  readonly min: number;
  readonly max: number;
}

/** A lasting change of a series' level. */
export interface Change {
  /** The first night after it. */
  readonly id: string;
  readonly index: number;
  /** Medians of the nights from the change before until this one, and from it until the next. */
  readonly before: number;
  readonly after: number;
  readonly nightsBefore: number;
  readonly nightsAfter: number;
  readonly shift: number;
  readonly p: number;
  /** What else was otherwise from that night on: config, kernel, QEMU. */
  readonly named: readonly string[];
}

/** One metric over comparable nights. */
export interface Trend {
  /** What the nights have in common. */
  readonly name: string;
  readonly metric: Metric;
  /** Oldest first. */
  readonly nights: readonly Night[];
  readonly changes: readonly Change[];
}

/** More nights than these are not looked at for change points: half a year, and what costs a blink. */
const mostNights = 180;

/** The metrics of all series over time. Nights are comparable when topology, fault, kind, number of flows, accelerator and the config's path are the same. */
export function trendsOf(entries: readonly HistoryEntry[]): Trend[] {
  const series = new Map<string, HistoryEntry[]>();
  for (const entry of entries) {
    const name = seriesOf(entry);
    series.set(name, [...(series.get(name) ?? []), entry]);
  }
  return [...series].flatMap(([name, nights]) => metricIds.map((metric) => trendOf(name, metric, nights)).filter(({ nights: measured }) => measured.length > 0));
}

/** What nights must have in common to be compared, as people read it. */
export function seriesOf({ topology, fault, kind, flows, host, config }: HistoryEntry): string {
  return `${kind} of ${topology}, ${fault.id} of ${fault.target}, ${flows.total} flows, ${host.accelerator}, ${[config.path, ...config.overlays].join(" + ")}`;
}

function trendOf(name: string, metric: Metric, entries: readonly HistoryEntry[]): Trend {
  const nights = entries
    .flatMap((entry): Night[] => {
      const values = entry.samples[metric] ?? [];
      return values.length === 0 ? [] : [{ entry, value: median(values), n: values.length, min: Math.min(...values), max: Math.max(...values) }];
    })
    .slice(-mostNights);
  return { name, metric, nights, changes: changesOf(metric, nights) };
}

/** Change points that somebody minds; those between levels that differ by less than the metric's threshold are left out, one by one, least first. */
function changesOf(metric: Metric, nights: readonly Night[]): Change[] {
  let points = changePoints(nights.map(({ value }) => value));
  for (;;) {
    const changes = points.map(({ index, p }, place): Change => {
      const [first, last] = [points[place - 1]?.index ?? 0, points[place + 1]?.index ?? nights.length];
      const level = (from: number, until: number) => median(nights.slice(from, until).map(({ value }) => value));
      const [before, after] = [level(first, index), level(index, last)];
      const [earlier, later] = [nights[index - 1]?.entry, nights[index]?.entry];
      const named = earlier === undefined || later === undefined ? [] : namedBetween(earlier, later);
      return { id: later?.id ?? "", named, index, before, after, nightsBefore: index - first, nightsAfter: last - index, shift: after - before, p };
    });
    const small = changes.filter(({ shift, before }) => Math.abs(shift) < metricTraits[metric].floor || Math.abs(shift) < (Math.abs(before) * thresholds.percent) / 100);
    const least = small.toSorted((a, b) => Math.abs(a.shift) - Math.abs(b.shift))[0];
    if (least === undefined) return changes;
    points = points.filter(({ index }) => index !== least.index);
  }
}
