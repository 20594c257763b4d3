import type { VNode } from "preact";
import type { Verdict } from "../../evidence/run.ts";
import { html, visible, type Markup } from "./markup.ts";

const symbols: Readonly<Record<Verdict, string>> = { pass: "✔", fail: "✘", invalid: "?" };

/** A verdict as a symbol and a word, and only then a colour. */
export function verdictMark(verdict: Verdict, size: "large" | "" = ""): VNode {
  return html`<span class=${`verdict ${verdict} ${size}`.trim()}><span aria-hidden="true">${symbols[verdict]}</span>${verdict.toUpperCase()}</span>`;
}

/** A length of time in whole milliseconds; a dash when it is not known. */
export function ms(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : `${grouped(Math.round(value))} ms`;
}

/** A long length of time in seconds. */
export function seconds(valueMs: number): string {
  return `${(valueMs / 1000).toFixed(1)} s`;
}

/** A number with its thousands apart. */
export function grouped(value: number): string {
  return value.toLocaleString("en-GB");
}

/** A moment of the host's epoch clock in UTC, to the millisecond; a dash when it is not known. */
export function moment(atMs: number | null | undefined): string {
  return atMs === null || atMs === undefined || Math.abs(atMs) > 8.64e15 || Number.isNaN(atMs) ? "–" : new Date(atMs).toISOString().replace("T", " ").replace("Z", " UTC");
}

export interface Column<T> {
  readonly name: string;
  readonly number?: boolean;
  readonly cell: (row: T, index: number) => Markup;
}

/** A table that scrolls in its own box where it is wider than the window. The first column names the row. */
export function table<T>(caption: string, columns: readonly Column<T>[], rows: readonly T[]): VNode {
  const cells = (row: T, index: number) =>
    columns.map(({ number, cell }, column) => {
      const kind = number === true ? "number" : undefined;
      return column === 0 ? html`<th scope="row" class=${kind}>${cell(row, index)}</th>` : html`<td class=${kind}>${cell(row, index)}</td>`;
    });
  return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0">
    <table>
      <caption><span>${caption}</span></caption>
      <thead><tr>${columns.map(({ name, number }) => html`<th scope="col" class=${number === true ? "number" : undefined}>${name}</th>`)}</tr></thead>
      <tbody>${rows.map((row, index) => html`<tr>${cells(row, index)}</tr>`)}</tbody>
    </table>
  </div>`;
}

/** Names and what they are. */
export function facts(pairs: readonly (readonly [name: string, value: Markup])[]): VNode {
  return html`<dl class="facts">${pairs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** Figures that are to be seen first, each with what it is. */
export function tiles(figures: readonly (readonly [figure: string, what: string])[]): VNode {
  return html`<ul class="tiles">${figures.map(([figure, what]) => html`<li><strong>${figure}</strong><span>${what}</span></li>`)}</ul>`;
}

/** What a machine or tool said, as it said it. */
export function said(text: string): VNode {
  return html`<code>${visible(text)}</code>`;
}
