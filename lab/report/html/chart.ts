import type { Axis, Spec } from "vega";
import * as vega from "vega";
import type { VNode } from "preact";
import { html, trusted } from "./markup.ts";
import { colour } from "./style.ts";

/** A chart in words, for those who cannot see it. */
export interface ChartText {
  /** Unique in its page. */
  readonly id: string;
  /** What it is. */
  readonly title: string;
  /** What it shows, in figures. */
  readonly description: string;
}

/** Widths in pixels that text of 12 pixels is laid out for: a desk's and a phone's. */
export const chartWidths = { wide: 900, narrow: 340 } as const;
export type ChartForm = keyof typeof chartWidths;

const text = { labelColor: colour("ink"), titleColor: colour("soft"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" as const };

/** Looks that all charts share. Colours are the page's, so dark mode and print need no second chart. */
const look: vega.Config = {
  axis: { ...text, aria: false, domainColor: colour("soft"), tickColor: colour("soft"), gridColor: colour("rule"), labelOverlap: true },
  text: { fill: colour("ink"), fontSize: 12 },
};

/** The axis of milliseconds since the fault. */
export function timeAxis(scale: string, title = "seconds since the fault", more: Partial<Axis> = {}): Axis {
  return { orient: "bottom", scale, title, grid: true, tickCount: 8, format: "~g", ...more };
}

/**
 * Draws a chart as SVG for both widths; the page shows the one that fits.
 * @throws Error when the chart's description is not what Vega understands: a mistake of ours, never of a run's.
 */
export async function chart(words: ChartText, draw: (width: number, form: ChartForm) => Spec): Promise<VNode> {
  const forms = Object.keys(chartWidths) as ChartForm[];
  const drawn = await Promise.all(forms.map(async (form) => svgOf(await drawing(draw(chartWidths[form], form)), { ...words, id: `${words.id}-${form}` }, form)));
  return html`<div>${drawn}</div>`;
}

/** Draws a chart of one width, for a phone as well as beside others of its kind. */
export async function smallChart(words: ChartText, spec: Spec): Promise<VNode> {
  return svgOf(await drawing(spec), words, "small");
}

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly marks: string;
}

async function drawing(spec: Spec): Promise<Drawing> {
  const complaints: string[] = [];
  const view = new vega.View(vega.parse({ padding: 4, autosize: { type: "fit-x", contains: "padding" }, ...spec }, look), { renderer: "none", logger: strict(complaints) });
  const svg = await view.toSVG();
  view.finalize();
  const whole = /^<svg [^>]*? width="([\d.]+)" height="([\d.]+)"[^>]*>(.*)<\/svg>$/su.exec(svg);
  if (complaints.length > 0 || whole?.[3] === undefined) throw new Error(`a chart cannot be drawn: ${complaints.join("; ") || svg.slice(0, 200)}`);
  return { width: Number(whole[1]), height: Number(whole[2]), marks: slim(whole[3]) };
}

/** Vega tells mistakes to its logger and draws on: here they are no chart. */
function strict(complaints: string[]): vega.LoggerInterface {
  const complain = (...words: readonly unknown[]) => {
    complaints.push(words.map(String).join(" "));
    return logger;
  };
  const logger = { level: () => vega.Warn, error: complain, warn: complain, info: () => logger, debug: () => logger } as unknown as vega.LoggerInterface;
  return logger;
}

/** Leaves out of Vega's tags what says nothing in a picture that has a name of its own. */
function slim(marks: string): string {
  return marks
    .replace(/<path class="(?:background|foreground)"[^>]*\/>/gu, "")
    .replace(/<[a-z][^>]*>/gu, (tag) => tag.replace(/ (?:class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"| opacity="1"/gu, ""));
}

function svgOf({ width, height, marks }: Drawing, { id, title, description }: ChartText, form: ChartForm | "small"): VNode {
  const names = `<title id="${id}-title">${escaped(title)}</title><desc id="${id}-desc">${escaped(description)}</desc>`;
  const attributes = { class: `chart ${form}`, role: "img", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-desc`, viewBox: `0 0 ${width} ${height}`, style: `max-width:${width * 1.3}px` };
  return trusted("svg", attributes, names + marks);
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
