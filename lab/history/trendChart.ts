import type { VNode } from "preact";
import type { Spec } from "vega";
import { chart, smallChart, type ChartText } from "../report/html/chart.ts";
import { colour } from "../report/html/style.ts";
import { metricTraits, shiftText, valueText } from "./metricText.ts";
import type { Trend } from "./trends.ts";

/** Nights that a chart has room for, the last ones. */
const mostDrawn = 60;

/** A metric over the nights: the median of each with its least and largest value, the level between two change points, and where it changed. */
export function trendChart(id: string, trend: Trend): Promise<VNode> {
  return chart(wordsOf(id, trend), (width, form) => specOf(trend, width, form === "wide" ? 240 : 200));
}

/** The same, small beside others. */
export function smallTrendChart(id: string, trend: Trend): Promise<VNode> {
  return smallChart(wordsOf(id, trend), specOf(trend, 300, 150));
}

function wordsOf(id: string, { metric, nights, changes }: Trend): ChartText {
  const values = nights.map(({ value }) => value);
  const changed = changes.map(({ id: night, shift }) => `; ${shiftText(metric, shift)} since ${night}`).join("");
  return {
    id,
    title: `${metricTraits[metric].name} over ${nights.length} nights`,
    description: `medians from ${valueText(metric, Math.min(...values))} to ${valueText(metric, Math.max(...values))}, the last ${valueText(metric, values.at(-1) ?? 0)}${changed === "" ? "; no change point" : changed}`,
  };
}

const hidden = { value: 0 };

function specOf({ metric, nights: all, changes: allChanges }: Trend, width: number, height: number): Spec {
  const first = Math.max(0, all.length - mostDrawn);
  const nights = all.slice(first);
  const changes = allChanges.filter(({ index }) => index > first).map((change) => ({ ...change, index: change.index - first }));
  const earlier = allChanges.filter(({ index }) => index <= first).at(-1);
  const keys = nights.map(({ entry }, index) => `${entry.at}#${index}`);
  const dots = nights.map(({ value, min, max, entry: { verdict } }, index) => ({ night: keys[index], value, min, max, verdict }));
  const edges = [0, ...changes.map(({ index }) => index), nights.length];
  const levels = edges.slice(0, -1).map((from, place) => {
    const value = changes[place]?.before ?? changes[place - 1]?.after ?? earlier?.after;
    return { from: keys[from], until: keys[(edges[place + 1] ?? nights.length) - 1], value };
  });
  const steps = changes.map(({ index, shift }) => ({ night: keys[index], text: shiftText(metric, shift) }));
  const { name, unit } = metricTraits[metric];
  return {
    width,
    height,
    data: [
      { name: "dots", values: dots },
      { name: "levels", values: levels.filter(({ value }) => value !== undefined) },
      { name: "steps", values: steps },
    ],
    scales: [
      { name: "x", type: "point", domain: keys, range: "width", padding: 0.6 },
      { name: "y", type: "linear", domain: { data: "dots", fields: ["min", "max"] }, range: "height", zero: true, nice: true },
    ],
    axes: [
      { orient: "left", scale: "y", title: unit === "ms" ? `${name}, ms` : name, grid: true, tickCount: 5, format: "~d" },
      // Of the key, month and day, and the hour: several runs may be of one day.
      { orient: "bottom", scale: "x", labelOverlap: "greedy", labelSeparation: 12, encode: { labels: { update: { text: { signal: "slice(datum.value, 5, 10) + ' ' + slice(datum.value, 11, 16)" } } } } },
    ],
    marks: [
      { type: "rule", from: { data: "steps" }, encode: { enter: { x: { scale: "x", field: "night" }, y: hidden, y2: { value: height }, stroke: { value: colour("series2") }, strokeWidth: { value: 2 }, strokeDash: { value: [5, 4] } } } },
      { type: "rule", from: { data: "dots" }, encode: { enter: { x: { scale: "x", field: "night" }, y: { scale: "y", field: "min" }, y2: { scale: "y", field: "max" }, stroke: { value: colour("soft") }, strokeWidth: { value: 1.5 } } } },
      {
        type: "rule",
        from: { data: "levels" },
        encode: { enter: { x: { scale: "x", field: "from" }, x2: { scale: "x", field: "until" }, y: { scale: "y", field: "value" }, stroke: { value: colour("series3") }, strokeWidth: { value: 3 } } },
      },
      {
        type: "symbol",
        from: { data: "dots" },
        encode: {
          enter: {
            x: { scale: "x", field: "night" },
            y: { scale: "y", field: "value" },
            size: [{ test: "datum.verdict === 'pass'", value: 60 }, { value: 110 }],
            shape: [{ test: "datum.verdict === 'pass'", value: "circle" }, { test: "datum.verdict === 'fail'", value: "cross" }, { value: "triangle-up" }],
            fill: [{ test: "datum.verdict === 'pass'", value: colour("series1") }, { test: "datum.verdict === 'fail'", value: colour("fail") }, { value: colour("invalid") }],
            stroke: { value: colour("paper") },
            strokeWidth: { value: 1 },
          },
        },
      },
      {
        type: "text",
        from: { data: "steps" },
        encode: { enter: { x: { scale: "x", field: "night" }, dx: { value: -6 }, y: { value: 12 }, align: { value: "right" }, text: { field: "text" }, fill: { value: colour("ink") }, fontWeight: { value: "bold" } } },
      },
    ],
  };
}
