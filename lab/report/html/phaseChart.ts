import type { VNode } from "preact";
import { chart } from "./chart.ts";
import { colour } from "./style.ts";

export interface PhaseChart {
  readonly id: string;
  readonly title: string;
  /** Moment of the strike and network's own outage, both in milliseconds. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Outages over the moments of their strikes. */
export function phaseChart({ id, title, points }: PhaseChart): Promise<VNode> {
  const description = `${points.length} trials: ${points.map(({ x, y }) => `${Math.round(y)} ms at ${Math.round(x)} ms`).join(", ")}`;
  return chart({ id, title, description }, (width, form) => ({
    width,
    height: form === "wide" ? 220 : 180,
    data: [{ name: "points", values: [...points] }],
    scales: [
      { name: "x", type: "linear", domain: { data: "points", field: "x" }, range: "width", nice: true, zero: false },
      { name: "y", type: "linear", domain: { data: "points", field: "y" }, range: "height", nice: true, zero: false },
    ],
    axes: [
      { orient: "bottom", scale: "x", title: "struck, ms after the first possible moment", grid: true, tickCount: form === "wide" ? 10 : 5 },
      { orient: "left", scale: "y", title: "network's own outage, ms", grid: true, tickCount: 5 },
    ],
    marks: [
      { type: "symbol", from: { data: "points" }, encode: { enter: { x: { scale: "x", field: "x" }, y: { scale: "y", field: "y" }, size: { value: 64 }, fill: { value: colour("series1") }, stroke: { value: colour("paper") }, strokeWidth: { value: 1 } } } },
    ],
  }));
}
