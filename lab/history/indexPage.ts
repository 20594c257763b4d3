import { median } from "simple-statistics";
import type { VNode } from "preact";
import type { HistoryEntry } from "../evidence/history.ts";
import { documentOf } from "../report/html/document.ts";
import { html, visible, type Markup } from "../report/html/markup.ts";
import { facts, table, tiles, verdictMark } from "../report/html/words.ts";
import { metricTraits, shiftText, valueText } from "./metricText.ts";
import { smallTrendChart, trendChart } from "./trendChart.ts";
import { seriesOf, type Change, type Trend } from "./trends.ts";

export interface IndexInput {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  readonly trends: readonly Trend[];
  /** The page that a run's line leads to, relative to the index; undefined when its bundle is gone. */
  readonly linkOf: (entry: HistoryEntry) => string | undefined;
  /** Lines of the history that could not be read. */
  readonly broken: number;
}

/** More runs than these are counted, and found with `fwlab history`. */
const mostRuns = 300;
/** Series that have charts: the ones that ran last. */
const mostSeries = 4;

/** All nights on one page: what the last one said, what changed and since when, each metric over time, and every run with the way to its report. */
export async function renderIndex({ entries, trends, linkOf, broken }: IndexInput): Promise<string> {
  const newest = entries.toReversed();
  const [last] = newest;
  const series = [...new Set(newest.map(seriesOf))];
  return documentOf({
    title: last === undefined ? "fwlab: no run yet" : `fwlab: ${last.verdict}, ${entries.length} runs`,
    head: headOf(last, entries, trends, linkOf),
    sections: [
      { id: "changes", heading: "What changed", body: changesBody(trends, entries, linkOf) },
      { id: "trends", heading: "Over the nights", body: await trendsBody(series.slice(0, mostSeries), trends, series.length) },
      { id: "runs", heading: "Runs and trials", body: runsTable(newest, linkOf) },
    ],
    foot: html`<p>Made from history.jsonl${broken === 0 ? "" : `, of which ${broken} lines could not be read`}. The same in a terminal: <code>npm run history</code>.</p>`,
  });
}

function headOf(last: HistoryEntry | undefined, entries: readonly HistoryEntry[], trends: readonly Trend[], linkOf: IndexInput["linkOf"]): Markup {
  if (last === undefined) return html`<h1>No run yet</h1><p class="reason">npm start makes one.</p>`;
  const count = (verdict: HistoryEntry["verdict"]) => entries.filter((entry) => entry.verdict === verdict).length;
  const changes = trends.reduce((sum, trend) => sum + trend.changes.length, 0);
  return html`
    <p>${verdictMark(last.verdict, "large")}</p>
    <h1>The latest: ${last.kind} of ${visible(last.topology)}</h1>
    <p class="reason">${visible(last.reason)}</p>
    <p>${nightLink(last, linkOf)} UTC</p>
    ${tiles([
      [String(entries.length), "runs and trials"],
      [`${count("pass")} / ${count("fail")} / ${count("invalid")}`, "passed / failed / invalid"],
      [String(changes), "change points"],
    ])}
  `;
}

/** A run by its time in UTC, as a link where there is something to open. */
function nightLink(entry: HistoryEntry, linkOf: IndexInput["linkOf"]): VNode {
  const link = linkOf(entry);
  const time = html`<span class="number">${entry.at.slice(0, 16).replace("T", " ")}</span>`;
  return link === undefined ? time : html`<a href=${link} title=${visible(entry.id)}>${time}</a>`;
}

/** A night in which something changed for good, with all that did in its series. */
interface Turn {
  readonly id: string;
  readonly series: string;
  readonly named: readonly string[];
  readonly lines: readonly string[];
}

function changesBody(trends: readonly Trend[], entries: readonly HistoryEntry[], linkOf: IndexInput["linkOf"]): Markup {
  const turns = turnsOf(trends);
  if (turns.length === 0) return html`<p>No metric of any series changed for good. A change needs three nights on each side of it, and more where they are few: <code>npm run compare</code> tells of two.</p>`;
  return turns.map(({ id, series, named, lines }) => {
    const entry = entries.find((each) => each.id === id);
    const also = named.length === 0 ? "Config, kernel and QEMU stayed the same that night." : `Changed that night: ${named.join("; ")}.`;
    return html`<div class="note">
      <p><strong>Since </strong>${entry === undefined ? id : nightLink(entry, linkOf)} <span class="muted">${visible(series)}</span></p>
      <ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>
      <p>${visible(also)}</p>
    </div>`;
  });
}

/** The latest first. */
function turnsOf(trends: readonly Trend[]): Turn[] {
  const all = trends.flatMap((trend) => trend.changes.map((change) => ({ trend, change })));
  const nights = [...new Set(all.map(({ trend, change }) => `${change.id} ${trend.name}`))].toSorted().toReversed();
  return nights.map((night) => {
    const here = all.filter(({ trend, change }) => `${change.id} ${trend.name}` === night);
    return { id: here[0]?.change.id ?? "", series: here[0]?.trend.name ?? "", named: here[0]?.change.named ?? [], lines: here.map(({ trend, change }) => changeText(trend, change)) };
  });
}

function changeText({ metric }: Trend, { shift, before, after, nightsBefore, nightsAfter, p }: Change): string {
  const { name, family } = metricTraits[metric];
  const meaning = family === "host" ? "the host, not the pair" : shift > 0 ? "worse" : "better";
  return `${name} ${shiftText(metric, shift)}, ${meaning}: ${valueText(metric, before)} over ${nightsBefore} nights, then ${valueText(metric, after)} over ${nightsAfter} (p ${p.toFixed(3)})`;
}

async function trendsBody(shown: readonly string[], trends: readonly Trend[], all: number): Promise<Markup> {
  const parts = await Promise.all(shown.map((name, place) => seriesBody(name, place, trends.filter((trend) => trend.name === name && trend.nights.length > 1))));
  const rest = all > shown.length ? html`<p class="muted">${all - shown.length} series that ran earlier are not drawn.</p>` : null;
  return html`
    <p>A dot is a night's median, the line through it reaches from its least to its largest value; a cross failed, a triangle is partly invalid. The thick line is the level, the dashed one a change point. Of longer series, the last 60 nights are drawn.</p>
    ${parts}${rest}
  `;
}

async function seriesBody(name: string, place: number, trends: readonly Trend[]): Promise<Markup> {
  const draw = (some: readonly Trend[], by: typeof trendChart) =>
    Promise.all(some.map(async (trend) => html`<figure><figcaption>${metricTraits[trend.metric].name}</figcaption>${await by(`trend-${place}-${trend.metric}`, trend)}</figure>`));
  const outcomes = trends.filter(({ metric }) => metricTraits[metric].family === "outcome");
  // Of the series that ran last, where the time goes too.
  const others = place > 0 ? [] : trends.filter(({ metric }) => metricTraits[metric].family !== "outcome");
  return html`
    <h3>${visible(name)}</h3>
    ${trends.length === 0 ? html`<p class="muted">One night so far, or none with a figure: there is no trend yet.</p>` : await draw(outcomes, trendChart)}
    ${others.length === 0 ? null : html`<details><summary>Phases of the failover, drops, and the host</summary><div class="multiples">${await draw(others, smallTrendChart)}</div></details>`}
  `;
}

/** Lines that are not broken anew: on a phone the table scrolls, or each word would have a line of its own. The last one is a detail. */
function inLines(lines: readonly string[]): VNode {
  const [detail, ...rest] = lines.toReversed();
  return html`<span class="number">${rest.toReversed().join(" + ")}</span><br /><span class="number muted">${detail}</span>`;
}

function runsTable(newest: readonly HistoryEntry[], linkOf: IndexInput["linkOf"]): Markup {
  const middle = (entry: HistoryEntry, metric: "networkMs" | "stallMs") => {
    const values = entry.samples[metric] ?? [];
    return values.length === 0 ? "–" : valueText(metric, median(values));
  };
  const shown = newest.slice(0, mostRuns);
  return html`
    ${table(
      `The latest first${newest.length > shown.length ? `; ${newest.length - shown.length} earlier ones are in history.jsonl` : ""}`,
      [
        { name: "Run, UTC", cell: (entry: HistoryEntry) => nightLink(entry, linkOf) },
        { name: "Verdict", cell: ({ verdict }) => verdictMark(verdict) },
        { name: "Valid", number: true, cell: ({ counts }) => `${counts.pass + counts.fail} of ${counts.pass + counts.fail + counts.invalid}` },
        { name: "Outage", number: true, cell: (entry) => middle(entry, "networkMs") },
        { name: "Stall", number: true, cell: (entry) => middle(entry, "stallMs") },
        { name: "Survived", number: true, cell: ({ survived }) => `${survived.survived} of ${survived.of}` },
        { name: "Config", cell: ({ config }) => inLines([...[config.path, ...config.overlays].map((path) => visible(path.split("/").at(-1) ?? path)), config.sha256.slice(0, 8)]) },
        { name: "Machines", cell: ({ host }) => inLines([`${host.accelerator}, ${host.cores} cores, QEMU ${visible(host.qemu)}`, visible(host.guestKernel)]) },
      ],
      shown,
    )}
    ${facts([["Outage, stall", "medians over the valid failovers of the run"], ["Survived", "flows, over all valid failovers"]])}
  `;
}
