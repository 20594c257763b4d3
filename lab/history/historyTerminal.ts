import Table from "cli-table3";
import { median } from "simple-statistics";
import type { HistoryEntry } from "../evidence/history.ts";
import { metricIds } from "../evidence/metric.ts";
import { borderless, linesOf } from "../report/borderless.ts";
import { pageOf, type TerminalLook } from "../report/page.ts";
import { metricTraits, shiftText, valueText } from "./metricText.ts";
import type { Trend } from "./trends.ts";

/** The history as a table, newest last, and where its series changed. */
export function renderHistory(entries: readonly HistoryEntry[], trends: readonly Trend[], look: TerminalLook): string {
  if (entries.length === 0) return "no run and no trials are in the history";
  const { colors, paint, fact } = pageOf(look);
  const head = ["id", "verdict", "n", "outage", "stall", "survived", "config"];
  const table = new Table({
    head: head.map(colors.bold),
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    colAligns: head.map((name) => (["id", "verdict", "config"].includes(name) ? "left" : "right")),
  });
  for (const { id, verdict, counts, samples, survived, config } of entries) {
    const middle = (metric: "networkMs" | "stallMs") => (samples[metric] === undefined ? "-" : valueText(metric, median(samples[metric])));
    const alive = `${survived.survived}/${survived.of}`;
    table.push([
      id,
      paint[verdict](verdict),
      String(counts.pass + counts.fail),
      middle("networkMs"),
      middle("stallMs"),
      survived.survived < survived.of ? colors.red(alive) : alive,
      `${[config.path, ...config.overlays].map((path) => path.split("/").at(-1) ?? path).join(" + ")} ${config.sha256.slice(0, 8)}`,
    ]);
  }
  const changes = trends.flatMap(({ name, metric, changes: found }) => found.map((change) => ({ name, metric, change })));
  return [
    ...linesOf(table),
    "",
    ...changes.map(({ name, metric, change }) =>
      fact("changed", `${metricTraits[metric].name} ${colors.bold(shiftText(metric, change.shift))} since ${change.id} (median ${valueText(metric, change.before)} of ${change.nightsBefore}, then ${valueText(metric, change.after)} of ${change.nightsAfter}; p ${change.p.toFixed(3)})${change.named.map((what) => `; ${what}`).join("")}; ${name}`),
    ),
    ...(changes.length === 0 ? [fact("changed", `no change point in ${trends.length} series of ${metricIds.length} metrics`)] : []),
  ].join("\n");
}
