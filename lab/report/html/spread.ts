import type { VNode } from "preact";
import type { Spec } from "vega";
import { chart } from "./chart.ts";
import { colour } from "./style.ts";

/** One value among others of its kind. */
export interface SpreadValue {
  readonly name: string;
  readonly value: number;
  /** Drawn apart: the one that this page is about. */
  readonly marked?: boolean;
}

export interface Spread {
  readonly id: string;
  readonly title: string;
  /** Of the axis, with the unit. */
  readonly axis: string;
  readonly unit: string;
  readonly values: readonly SpreadValue[];
}

/** How values are spread: a dot each, those of about one value on top of each other, above a box from quartile to quartile with the median. */
export function spreadChart({ id, title, axis, unit, values }: Spread): Promise<VNode> {
  const sorted = values.map(({ value }) => value).toSorted((a, b) => a - b);
  const marked = values.filter((value) => value.marked === true).map(({ name, value }) => `; ${name}: ${Math.round(value)} ${unit}`);
  const description = `${values.length} values from ${Math.round(sorted[0] ?? 0)} to ${Math.round(sorted.at(-1) ?? 0)} ${unit}${marked.join("")}`;
  return chart({ id, title, description }, (width, form) => specOf(values, axis, width, form === "wide" ? 90 : 60));
}

const radius = 4;

function specOf(values: readonly SpreadValue[], axis: string, width: number, bins: number): Spec {
  const data = values.map(({ value, marked }) => ({ value, marked: marked === true }));
  const numbers = data.map(({ value }) => value);
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const room = Math.max((high - low) * 0.05, 1);
  const from = low - room;
  const until = high + room;
  const stacks = new Map<number, number>();
  const dots = data
    .toSorted((a, b) => a.value - b.value)
    .map((each) => {
      const bin = Math.floor(((each.value - from) * bins) / (until - from));
      const level = stacks.get(bin) ?? 0;
      stacks.set(bin, level + 1);
      return { ...each, level };
    });
  const tallest = Math.max(1, ...stacks.values());
  const dotsHeight = Math.min(200, tallest * (2 * radius + 1) + 4);
  const boxTop = dotsHeight + 8;
  return {
    width,
    height: boxTop + 26,
    data: [
      { name: "dots", values: dots },
      { name: "box", source: "dots", transform: [{ type: "aggregate", fields: ["value", "value", "value", "value", "value"], ops: ["min", "q1", "median", "q3", "max"], as: ["min", "q1", "median", "q3", "max"] }] },
    ],
    scales: [
      { name: "x", type: "linear", domain: [from, until], range: "width", nice: false, zero: false },
      { name: "y", type: "linear", domain: [0, Math.max(tallest, Math.floor(dotsHeight / (2 * radius + 1)))], range: [dotsHeight, 0] },
    ],
    axes: [{ orient: "bottom", scale: "x", title: axis, grid: true, tickCount: width > 500 ? 10 : 5 }],
    marks: [
      {
        type: "symbol",
        from: { data: "dots" },
        encode: {
          enter: {
            x: { scale: "x", field: "value" },
            y: { scale: "y", signal: "datum.level + 0.5" },
            size: [{ test: "datum.marked", value: 4 * (radius + 3) ** 2 }, { value: (2 * radius) ** 2 }],
            shape: [{ test: "datum.marked", value: "diamond" }, { value: "circle" }],
            fill: [{ test: "datum.marked", value: colour("series2") }, { value: colour("series1") }],
            stroke: { value: colour("paper") },
            strokeWidth: { value: 1 },
          },
        },
      },
      { type: "rule", from: { data: "box" }, encode: { enter: { x: { scale: "x", field: "min" }, x2: { scale: "x", field: "max" }, y: { value: boxTop + 10 }, stroke: { value: colour("soft") } } } },
      {
        type: "rect",
        from: { data: "box" },
        encode: { enter: { x: { scale: "x", field: "q1" }, x2: { scale: "x", field: "q3" }, y: { value: boxTop }, height: { value: 20 }, fill: { value: colour("shade") }, stroke: { value: colour("soft") } } },
      },
      { type: "rect", from: { data: "box" }, encode: { enter: { xc: { scale: "x", field: "median" }, width: { value: 3 }, y: { value: boxTop }, height: { value: 20 }, fill: { value: colour("ink") } } } },
    ],
  };
}
