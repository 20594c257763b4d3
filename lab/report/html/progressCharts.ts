import type { VNode } from "preact";
import type { Mark, Spec } from "vega";
import { chart, smallChart, timeAxis } from "./chart.ts";
import { visible } from "./markup.ts";
import type { FlowProgress, KindRate, Window } from "./progress.ts";
import { colour } from "./style.ts";

const kindStyles: Readonly<Record<string, readonly [stroke: string, dash: number[]]>> = {
  tcp: [colour("series1"), [1, 0]],
  udp: [colour("series2"), [6, 3]],
  ssh: [colour("series3"), [2, 2]],
};
const otherKind: readonly [stroke: string, dash: number[]] = [colour("series4"), [8, 2, 2, 2]];

/** The moment of the fault, as a line. */
function faultLine(height: number): Mark {
  return { type: "rule", encode: { enter: { x: { scale: "x", value: 0 }, y: { value: 0 }, y2: { value: height }, stroke: { value: colour("fail") }, strokeWidth: { value: 1.5 }, strokeDash: { value: [5, 3] } } } };
}

/** How many records came in over time, a line a kind of flow. */
export function rateChart(id: string, title: string, rates: readonly KindRate[], window: Window): Promise<VNode> {
  const stopped = rates.map(({ kind, points }) => `${kind}: ${points.reduce((sum, { records }) => sum + records, 0)} records, none in ${points.filter(({ records }) => records === 0).length} of ${points.length} tenths of a second`);
  return chart({ id, title, description: stopped.join("; ") }, (width, form) => rateSpec(rates, window, width, form === "wide" ? 190 : 170));
}

function rateSpec(rates: readonly KindRate[], { from, until }: Window, width: number, height: number): Spec {
  const kinds = rates.map(({ kind }) => kind);
  const styles = kinds.map((kind) => kindStyles[kind] ?? otherKind);
  return {
    width,
    height,
    data: [{ name: "rates", values: rates.flatMap(({ kind, points }) => points.map((point) => ({ kind, ...point }))) }],
    scales: [
      { name: "x", type: "linear", domain: [from, until], range: "width", nice: false, zero: false },
      { name: "y", type: "linear", domain: { data: "rates", field: "records" }, range: "height", nice: true, zero: true },
      { name: "stroke", type: "ordinal", domain: kinds, range: styles.map(([stroke]) => stroke) },
      { name: "dash", type: "ordinal", domain: kinds, range: styles.map(([, dash]) => dash) },
    ],
    axes: [timeAxis("x", "seconds since the fault", { tickCount: width > 500 ? 12 : 6 }), { orient: "left", scale: "y", title: "records per 0.1 s", grid: true, tickCount: 4 }],
    legends: [{ stroke: "stroke", strokeDash: "dash", orient: "top", direction: "horizontal", symbolType: "stroke", symbolStrokeWidth: 2, symbolSize: 400, aria: false, labelColor: colour("ink"), labelFontSize: 12 }],
    marks: [
      faultLine(height),
      {
        type: "group",
        from: { facet: { name: "one", data: "rates", groupby: "kind" } },
        marks: [
          {
            type: "line",
            from: { data: "one" },
            encode: { enter: { x: { scale: "x", field: "x" }, y: { scale: "y", field: "records" }, interpolate: { value: "step-after" }, stroke: { scale: "stroke", field: "kind" }, strokeDash: { scale: "dash", field: "kind" }, strokeWidth: { value: 1.75 } } },
          },
        ],
      },
    ],
  };
}

/** How directions are drawn: told once, above the charts. */
export const directionStyles = { forward: { stroke: colour("series1"), dash: [1, 0] }, reverse: { stroke: colour("series3"), dash: [4, 2] } } as const;

const small = { width: 290, height: 96 } as const;

/** A flow's record numbers over time; its longest stall as a band; what was lost as crosses. */
export function flowChart(id: string, progress: FlowProgress, window: Window): Promise<VNode> {
  const { directions, stall } = progress;
  const words = directions.map(({ name, arrivals, lostCount }) => {
    const [first, last] = [arrivals[0], arrivals.at(-1)];
    return `${name}: ${first === undefined || last === undefined ? "no record came in" : `record ${first.y} at ${first.x} s to ${last.y} at ${last.x} s`}${lostCount > 0 ? `, ${lostCount} lost` : ""}`;
  });
  const description = [...words, stall === undefined ? "no stall" : `stood still for ${Math.round(stall.lengthMs)} ms from ${stall.from.toFixed(3)} s on`].join("; ");
  return smallChart({ id, title: `Progress of ${visible(progress.id)}`, description }, flowSpec(progress, window));
}

function flowSpec({ directions, stall }: FlowProgress, { from, until }: Window): Spec {
  const { width, height } = small;
  const highest = Math.max(1, ...directions.flatMap(({ arrivals, lost }) => [...arrivals, ...lost].map(({ y }) => y)));
  const lost = directions.flatMap((direction) => direction.lost);
  return {
    width,
    height,
    data: [
      ...directions.map(({ name, arrivals }) => ({ name, values: [...arrivals] })),
      { name: "lost", values: lost },
      { name: "stall", values: stall === undefined ? [] : [{ from: Math.max(from, stall.from), until: Math.min(until, stall.until ?? until) }] },
    ],
    scales: [
      { name: "x", type: "linear", domain: [from, until], range: "width", nice: false, zero: false },
      { name: "y", type: "linear", domain: [0, highest], range: "height", nice: false },
    ],
    axes: [timeAxis("x", "", { tickCount: 5, grid: false, labelFontSize: 11, tickSize: 3, domain: true }), { orient: "left", scale: "y", tickCount: 2, grid: true, labelFontSize: 11, tickSize: 3, domain: false, minExtent: 26, format: "d" }],
    marks: [
      { type: "rect", from: { data: "stall" }, encode: { enter: { x: { scale: "x", field: "from" }, x2: { scale: "x", field: "until" }, y: { value: 0 }, y2: { value: height }, fill: { value: colour("shade") } } } },
      faultLine(height),
      ...directions.map(
        ({ name }): Mark => ({
          type: "line",
          from: { data: name },
          encode: { enter: { x: { scale: "x", field: "x" }, y: { scale: "y", field: "y" }, interpolate: { value: "step-after" }, stroke: { value: directionStyles[name].stroke }, strokeDash: { value: [...directionStyles[name].dash] }, strokeWidth: { value: 1.75 } } },
        }),
      ),
      { type: "symbol", from: { data: "lost" }, encode: { enter: { x: { scale: "x", field: "x" }, y: { scale: "y", field: "y" }, shape: { value: "M-.5-.5L.5.5M-.5.5L.5-.5" }, size: { value: 30 }, stroke: { value: colour("fail") }, strokeWidth: { value: 1.25 } } } },
    ],
  };
}
