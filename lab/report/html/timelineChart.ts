import type { VNode } from "preact";
import type { Mark, Spec } from "vega";
import type { Timeline } from "../../evidence/timeline.ts";
import { chart, timeAxis, type ChartForm } from "./chart.ts";
import { visible } from "./markup.ts";
import { colour } from "./style.ts";
import { inOrder, sinceFault, stepWords, subjectWords } from "./timelineWords.ts";
import { ms } from "./words.ts";

interface Row {
  readonly label: string;
  readonly kind: "phase" | "window" | "backoff" | "moment";
  /** Seconds since the fault. */
  readonly from: number;
  readonly until: number;
  readonly low: number;
  readonly high: number;
  /** Beside the mark. */
  readonly told: string;
}

/** Lengths and moments of a transition on one axis, seconds since the fault; a moment's error as a bar around it. */
export function timelineChart(timeline: Timeline): Promise<VNode> {
  const rows = rowsOf(timeline);
  const description = rows.map(({ label, told }) => `${label}: ${told}`).join("; ");
  return chart({ id: `timeline-${timeline.phase}`, title: `Timeline of the ${timeline.phase}`, description }, (width, form) => specOf(rows, width, form));
}

function rowsOf(timeline: Timeline): Row[] {
  const { faultAtMs, firewallMs, window, flows } = timeline;
  const since = (atMs: number) => (atMs - faultAtMs) / 1000;
  const rows: Row[] = [];
  const length = (label: string, kind: Row["kind"], from: number, until: number, told: string) => rows.push({ label, kind, from, until, low: from, high: until, told });
  const forwarding = timeline.moments.flatMap(({ step, atMs }) => (step === "first-forwarded" && atMs !== null ? [since(atMs)] : []));
  if (firewallMs !== null && forwarding.length > 0) {
    const until = Math.max(...forwarding);
    length("The firewalls' part", "phase", until - firewallMs / 1000, until, ms(firewallMs));
  }
  if (window !== null) {
    const told = `${ms(window.lengthMs)} ± ${Math.ceil(window.errorMs)}`;
    length("Address up, states not yet there", "window", since(Math.min(window.fromMs, window.untilMs)), since(Math.max(window.fromMs, window.untilMs)), window.lengthMs <= 0 ? `${told}: the states were first` : told);
  }
  const slowest = flows.filter(({ resumedAtMs, backoffMs }) => resumedAtMs !== null && backoffMs !== null).toSorted((a, b) => (b.backoffMs ?? 0) - (a.backoffMs ?? 0))[0];
  if (slowest?.resumedAtMs != null && slowest.backoffMs !== null) {
    const until = since(slowest.resumedAtMs);
    length(`Longest back-off: ${visible(slowest.id)}`, "backoff", until - slowest.backoffMs / 1000, until, ms(slowest.backoffMs));
  }
  for (const moment of inOrder(timeline.moments)) {
    if (moment.atMs === null) continue;
    const at = since(moment.atMs);
    const subject = subjectWords(moment);
    const error = moment.errorMs / 1000;
    const told = `${sinceFault(moment.atMs, faultAtMs)}${moment.errorMs > 0 ? ` ± ${Math.ceil(moment.errorMs)}` : ""}`;
    rows.push({ label: visible(`${stepWords(moment.step, timeline)}${subject === "" ? "" : `, ${subject}`}`), kind: "moment", from: at, until: at, low: at - error, high: at + error, told });
  }
  return rows;
}

const fills = { phase: colour("series1"), window: colour("series2"), backoff: colour("series4"), moment: colour("ink") } as const;

/** Room beside the axis for words, in pixels: Vega without a canvas can only guess how wide words are. */
const room = { wide: { left: 280, right: 110 }, narrow: { left: 6, right: 10 } } as const;

function specOf(rows: readonly Row[], whole: number, form: ChartForm): Spec {
  const wide = form === "wide";
  const { left, right } = room[form];
  const width = whole - left - right;
  // On a phone the words stand above their row.
  const rowHeight = wide ? 24 : 36;
  const height = rows.length * rowHeight;
  const low = Math.min(0, ...rows.map((row) => row.low));
  const high = Math.max(0.1, ...rows.map((row) => row.high));
  const margin = (high - low) * 0.03;
  const data = rows.map((row, index) => ({ ...row, y: (index + (wide ? 0.5 : 0.75)) * rowHeight, fill: fills[row.kind] }));
  const y = { field: "y" };
  const ofRows = { from: { data: "rows" }, type: "text" as const };
  const words: Mark[] = wide
    ? [
        { ...ofRows, encode: { enter: { x: { value: -12 }, align: { value: "right" }, y, baseline: { value: "middle" }, text: { field: "label" } } } },
        { ...ofRows, encode: { enter: { x: { scale: "x", field: "high" }, dx: { value: 9 }, y, baseline: { value: "middle" }, text: { field: "told" }, fill: { value: colour("soft") } } } },
      ]
    : [{ ...ofRows, encode: { enter: { x: { value: 0 }, y: { field: "y", offset: -15 }, baseline: { value: "middle" }, text: { signal: "datum.label + ' ' + datum.told" }, fontSize: { value: 11 } } } }];
  return {
    width,
    height,
    autosize: "none",
    padding: { left, right, top: 6, bottom: 40 },
    data: [
      { name: "rows", values: data },
      { name: "lengths", source: "rows", transform: [{ type: "filter", expr: "datum.kind != 'moment'" }] },
      { name: "moments", source: "rows", transform: [{ type: "filter", expr: "datum.kind == 'moment'" }] },
    ],
    scales: [{ name: "x", type: "linear", domain: [low - margin, high + margin], range: "width", nice: false, zero: false }],
    axes: [timeAxis("x", "seconds since the fault", { tickCount: wide ? 10 : 5 })],
    marks: [
      { type: "rule", encode: { enter: { x: { scale: "x", value: 0 }, y: { value: 0 }, y2: { value: height }, stroke: { value: colour("fail") }, strokeWidth: { value: 2 }, strokeDash: { value: [5, 3] } } } },
      { type: "rect", from: { data: "lengths" }, encode: { enter: { x: { scale: "x", field: "from" }, x2: { scale: "x", field: "until" }, yc: y, height: { value: 12 }, fill: { field: "fill" }, stroke: { field: "fill" } } } },
      { type: "rule", from: { data: "moments" }, encode: { enter: { x: { scale: "x", field: "low" }, x2: { scale: "x", field: "high" }, y, stroke: { value: colour("ink") }, strokeWidth: { value: 2 } } } },
      { type: "symbol", from: { data: "moments" }, encode: { enter: { x: { scale: "x", field: "from" }, y, size: { value: 55 }, fill: { field: "fill" } } } },
      ...words,
    ],
  };
}
