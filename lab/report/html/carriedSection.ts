import type { Spec } from "vega";
import type { Stretch } from "../../evidence/sandwichFigures.ts";
import { chart } from "./chart.ts";
import { html, visible, type Markup } from "./markup.ts";
import type { RunStory } from "./runInput.ts";
import { colour, type ColourName } from "./style.ts";
import { grouped, ms, table } from "./words.ts";

/** Who carried a sandwich's load, stretch by stretch, and how it was served meanwhile. */
export async function carriedSection({ run }: RunStory): Promise<Markup> {
  const stretches = run.stretches ?? [];
  const firewalls = [...new Set(stretches.flatMap(({ carried }) => Object.keys(carried)))];
  const figures = table(
    "The load, from the clients' own record",
    [
      { name: "Stretch", cell: ({ name }) => visible(name) },
      { name: "Lasted", number: true, cell: ({ fromMs, untilMs }) => `${((untilMs - fromMs) / 1000).toFixed(1)} s` },
      { name: "Requests", number: true, cell: ({ requests }) => grouped(requests) },
      { name: "A second", number: true, cell: ({ perSecond }) => perSecond.toFixed(1) },
      { name: "Failed", number: true, cell: ({ failed }) => grouped(failed) },
      { name: "Median", number: true, cell: ({ p50Ms }) => ms(p50Ms) },
      { name: "p99", number: true, cell: ({ p99Ms }) => ms(p99Ms) },
      ...firewalls.map((name) => ({ name: `By ${visible(name)}`, number: true, cell: ({ carried }: Stretch) => grouped(carried[name]?.connections ?? 0) })),
    ],
    stretches,
  );
  if (firewalls.length === 0) return html`<p class="note">Who carried what is not known: the run has no capture.</p>${figures}`;
  const told = stretches.map(({ name, carried }) => `${name}: ${firewalls.map((firewall) => `${firewall} ${carried[firewall]?.packets ?? 0} packets`).join(", ")}`).join("; ");
  return html`<figure>
    <figcaption>Packets that each firewall passed on to the servers or was given by them, a second, as counted from the capture at its egress side by MAC address. The columns "By …" count the connections.</figcaption>
    ${await chart({ id: "carried", title: "Who carried what", description: told }, (width) => specOf(stretches, firewalls, width))}
  </figure>${figures}`;
}

const colours: readonly ColourName[] = ["series1", "series2", "series3", "series4"];

function specOf(stretches: readonly Stretch[], firewalls: readonly string[], width: number): Spec {
  const values = stretches.flatMap(({ name, fromMs, untilMs, carried }) => {
    const seconds = Math.max(0.1, (untilMs - fromMs) / 1000);
    return firewalls.map((firewall) => ({ stretch: visible(name), firewall, rate: (carried[firewall]?.packets ?? 0) / seconds }));
  });
  const height = 34 * stretches.length;
  return {
    width,
    height,
    data: [{ name: "rates", values, transform: [{ type: "stack", groupby: ["stretch"], field: "rate", sort: { field: "firewall" } }] }],
    scales: [
      { name: "stretch", type: "band", domain: { data: "rates", field: "stretch" }, range: [0, height], padding: 0.25 },
      { name: "rate", type: "linear", domain: { data: "rates", field: "y1" }, range: "width", nice: true, zero: true },
      { name: "firewall", type: "ordinal", domain: [...firewalls], range: firewalls.map((_, index) => colour(colours[index % colours.length] ?? "series1")) },
    ],
    axes: [
      { orient: "left", scale: "stretch" },
      { orient: "bottom", scale: "rate", title: "packets a second", grid: true, tickCount: 6 },
    ],
    legends: [{ fill: "firewall", orient: "top", direction: "horizontal", labelColor: colour("ink"), labelFontSize: 12 }],
    marks: [
      {
        type: "rect",
        from: { data: "rates" },
        encode: {
          enter: {
            y: { scale: "stretch", field: "stretch" },
            height: { scale: "stretch", band: 1 },
            x: { scale: "rate", field: "y0" },
            x2: { scale: "rate", field: "y1" },
            fill: { scale: "firewall", field: "firewall" },
          },
        },
      },
    ],
  };
}
