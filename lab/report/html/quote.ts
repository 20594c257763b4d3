import type { VNode } from "preact";
import { fileLink } from "./evidenceLinks.ts";
import { html, visible } from "./markup.ts";

/** Lines of a file of the bundle that show something. */
export interface Quote {
  readonly file: string;
  /** What these lines show. */
  readonly shows: string;
  readonly lines: readonly QuotedLine[];
}

export interface QuotedLine {
  readonly text: string;
  /** Counts from 1; undefined for what is no line of the file itself. */
  readonly number?: number | undefined;
  /** One of the lines that matter most. */
  readonly marked?: boolean;
}

/** Longest part of a line that is quoted, in characters. */
const widest = 240;

/** The lines with the name of their file. */
export function quoteBlock({ file, shows, lines }: Quote, files: ReadonlySet<string>): VNode {
  const text = ({ text: words, number, marked }: QuotedLine) => html`${number === undefined ? "" : html`<span class="muted">${String(number).padStart(5)} </span>`}${marked === true ? html`<mark>${visible(words)}</mark>` : visible(words)}${"\n"}`;
  return html`<figure class="card"><figcaption>${shows}, in ${fileLink(file, files)}:</figcaption><pre><code>${lines.map(text)}</code></pre></figure>`;
}

/** A line, or of a long one the part around `needle`. */
export function excerpt(line: string, needle = ""): string {
  if (line.length <= widest) return line;
  const at = Math.max(0, line.indexOf(needle));
  const from = Math.max(0, Math.min(at - widest / 3, line.length - widest));
  return `${from > 0 ? "… " : ""}${line.slice(from, from + widest)}${from + widest < line.length ? " …" : ""}`;
}

/** Lines of a text that hold one of the needles, at most `most` of them, each with its number. */
export function linesWith(text: string, needles: readonly string[], most: number): QuotedLine[] {
  const found: QuotedLine[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const needle = needles.find((each) => line.includes(each));
    if (needle === undefined) continue;
    found.push({ text: excerpt(line, needle), number: index + 1, marked: true });
    if (found.length === most) break;
  }
  return found;
}

/** The last lines of a text that are not empty. */
export function lastLines(text: string, most: number): QuotedLine[] {
  return text
    .split("\n")
    .map((line, index) => ({ text: excerpt(line), number: index + 1 }))
    .filter((line) => line.text.trim() !== "")
    .slice(-most);
}
