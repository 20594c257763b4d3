import type { Trials } from "../evidence/trials.ts";
import { measuredOutages } from "../judge/trialsSummary.ts";
import { barLines, binsOf } from "./histogram.ts";

/** How the network's outages are spread over trials, a bar a line; none when no trial tells one. */
export interface OutageBars {
  readonly measured: readonly string[];
  /** Outages without end have a bar of their own, or the picture would be too good. */
  readonly withoutEnd: readonly string[];
}

/** Bars of all outages, none longer than `width` characters. */
export function outageBars({ trials, summary: { neverResumed } }: Trials, width: number): OutageBars {
  const bins = binsOf(measuredOutages(trials)).map(({ from, until, count }) => ({ label: until - from > 1 ? `${from} - ${until - 1} ms` : `${from} ms`, count }));
  if (bins.length === 0) return { measured: [], withoutEnd: [] };
  const lines = barLines([...bins, ...(neverResumed > 0 ? [{ label: "a flow never resumed", count: neverResumed }] : [])], width);
  return { measured: lines.slice(0, bins.length), withoutEnd: lines.slice(bins.length) };
}
