import type { VNode } from "preact";
import type { Observation } from "../../evidence/observation.ts";
import { isReturn } from "../../judge/scene.ts";
import { sandwiches, type SandwichTopology } from "../../topology/sandwich.ts";
import { hostPart } from "../../topology/topology.ts";
import { capital } from "./ground.ts";
import { holdersIn, type Holders } from "./holders.ts";
import { html, visible, type Markup } from "./markup.ts";
import type { RunStory } from "./runInput.ts";
import { layOutSandwich, type HostBox } from "./sandwichLayout.ts";
import { colour } from "./style.ts";

export interface SandwichDrawing {
  readonly id: string;
  readonly title: string;
  readonly topology: SandwichTopology;
  /** Undefined when nobody looked. */
  readonly holders: Holders | undefined;
  /** What was broken, by the machine's name. */
  readonly broken: ReadonlyMap<string, string>;
}

/** A sandwich before and after each transition: who had which address, and what was broken. */
export function sandwichNetworkSection({ evidence, transitions }: RunStory): Markup {
  const topology = sandwiches.get(evidence.topology);
  if (topology === undefined) return html`<p class="note">This fwlab does not know the topology ${visible(evidence.topology)}, so it cannot draw it.</p>`;
  if (transitions.length === 0) return html`<p>Nothing was broken.</p><div class="multiples network">${sandwichDrawing({ id: "network", title: `The network ${topology.name}`, topology, holders: undefined, broken: new Map() })}</div>`;
  return transitions.map(({ transition }) => {
    const { phase, from, to, before, after, fault } = transition;
    const broken = isReturn(transition) ? new Map<string, string>() : new Map([[fault.target, visible(fault.id)]]);
    const drawn = (when: "before" | "after", observation: Observation, marks: ReadonlyMap<string, string>) =>
      sandwichDrawing({ id: `${when}-${phase}`, title: `The network ${when} the ${phase}`, topology, holders: holdersIn(observation, topology.firewalls, [...topology.homes.keys()]), broken: marks });
    return html`
      <h3>${capital(phase)}: ${from} to ${to}</h3>
      <div class="multiples network">
        <figure><figcaption>Before</figcaption>${drawn("before", before, new Map())}</figure>
        <figure><figcaption>After</figcaption>${drawn("after", after, broken)}</figure>
      </div>
    `;
  });
}

/** A sandwich as a drawing: who is plugged in where, and which firewall has which of the addresses that move. */
export function sandwichDrawing({ id, title, topology, holders, broken }: SandwichDrawing): VNode {
  const layout = layOutSandwich(topology);
  const told = layout.boxes.map((box) => `${box.host.name}: ${[...wordsOf(box, holders), broken.get(box.host.name) ?? ""].filter((word) => word !== "").join(", ")}`);
  return html`<svg class="chart network" role="img" aria-labelledby=${`${id}-title`} aria-describedby=${`${id}-desc`} viewBox=${`0 0 ${layout.width} ${layout.height}`} style=${`max-width:${layout.width * 1.15}px`} font-size="12">
    <title id=${`${id}-title`}>${title}</title>
    <desc id=${`${id}-desc`}>${told.join("; ")}</desc>
    ${layout.wires.map(
      ({ nic, x, from, until }) => html`<g>
        <line x1=${x} y1=${from} x2=${x} y2=${until} stroke=${colour("soft")} />
        <text x=${x + 4} y=${(from < until ? until : from) - 6} fill=${colour("soft")} font-size="10">${`${nic.name} ${hostPart(nic.address)}`}</text>
      </g>`,
    )}
    ${layout.lines.map(
      ({ bridge, y, from, until }) => html`<g>
        <line x1=${from} y1=${y} x2=${until} y2=${y} stroke=${colour("ink")} stroke-width="4" stroke-linecap="round" />
        <text x=${until} y=${y - 5} text-anchor="end" font-weight="700" fill=${colour("ink")}>${bridge}</text>
      </g>`,
    )}
    ${layout.boxes.map((box) => boxOf(box, holders, broken.get(box.host.name)))}
  </svg>`;
}

function wordsOf({ host, kind }: HostBox, holders: Holders | undefined): string[] {
  if (kind !== "firewall") return [kind === "client" ? "clients" : kind === "server" ? "servers" : kind];
  const held = holders?.get(host.name);
  if (held === undefined) return [];
  if (typeof held === "string") return [held];
  return held.length === 0 ? ["holds none"] : ["holds", ...held.map((address) => `★ ${address}`)];
}

function boxOf(box: HostBox, holders: Holders | undefined, mark: string | undefined): VNode {
  const { host, kind, x, y, width, height } = box;
  const words = wordsOf(box, holders);
  const off = kind === "firewall" && holders?.get(host.name) === "off, or not seen";
  return html`<g>
    <rect x=${x} y=${y} width=${width} height=${height} rx="6" fill=${colour("panel")} stroke=${mark === undefined ? colour("soft") : colour("fail")} stroke-width=${mark === undefined ? 1.25 : 2.5} stroke-dasharray=${off ? "6 4" : undefined} />
    <text x=${x + 8} y=${y + 17} font-weight="700" font-size="13" fill=${colour("ink")}>${host.name}</text>
    ${words.map((word, index) => html`<text x=${x + 8} y=${y + 33 + index * 15} font-size="11" fill=${colour(word.startsWith("★") ? "pass" : "soft")} font-weight=${word.startsWith("★") ? 700 : 400}>${word}</text>`)}
    ${mark === undefined ? null : html`<text x=${x + width - 8} y=${y + height - 7} text-anchor="end" font-weight="700" font-size="11" fill=${colour("fail")}>${`✘ ${mark}`}</text>`}
  </g>`;
}
