import type { VNode } from "preact";
import type { Observation } from "../../evidence/observation.ts";
import { isReturn } from "../../judge/scene.ts";
import type { Nic, PairTopology } from "../../topology/topology.ts";
import { hostPart } from "../../topology/topology.ts";
import { fallenPackets } from "./dropQuotes.ts";
import { capital } from "./ground.ts";
import { holdersIn, type Holders } from "./holders.ts";
import { html, visible, type Markup } from "./markup.ts";
import { eventsOf, type NumberedEvent } from "./networkEvents.ts";
import { layOut, type Box, type NetworkLayout } from "./networkLayout.ts";
import type { RunStory, TransitionStory } from "./runInput.ts";
import { colour } from "./style.ts";

/** The network before and after each transition, with what happened where. */
export function networkSection(story: RunStory): Markup {
  const { topology } = story;
  if (topology === undefined) return html`<p class="note">This fwlab does not know the topology ${visible(story.run.topology)}, so it cannot draw it.</p>`;
  if (story.transitions.length === 0) return html`<p>Nothing was broken.</p><div class="multiples network">${drawing({ id: "network", title: `The network ${topology.name}`, topology, holders: undefined, events: [], marks: new Map() })}</div>`;
  return story.transitions.map((here) => oneTransition(story, topology, here));
}

function oneTransition(story: RunStory, topology: PairTopology, here: TransitionStory): VNode {
  const { phase, from, to, before, after, fault } = here.transition;
  const events = eventsOf(story, here);
  const struck = !isReturn(here.transition) ? new Map([[fault.target, { text: visible(fault.id), bad: true }]]) : new Map<string, Mark>();
  for (const drops of story.run.drops) if (drops.phase === phase && drops.dropped > 0) struck.set(drops.firewall, { text: `${drops.dropped} packets dropped`, bad: true });
  // The kernel's log is asked only where the taps did not count.
  const logged = story.run.drops.some((drops) => drops.phase === phase) ? 0 : fallenPackets(story.figures, here).length;
  if (logged > 0 && !struck.has(to)) struck.set(to, { text: `${logged} packets dropped`, bad: true });
  return html`
    <h3>${capital(phase)}: ${from} to ${to}</h3>
    <div class="multiples network">
      <figure><figcaption>Before</figcaption>${drawing({ id: `before-${phase}`, title: `The network before the ${phase}`, topology, holders: heldIn(topology, before), events: [], marks: new Map() })}</figure>
      <figure><figcaption>After, with what happened where</figcaption>${drawing({ id: `after-${phase}`, title: `The network after the ${phase}`, topology, holders: heldIn(topology, after), events, marks: struck })}</figure>
      <div>
        <p class="muted">Numbers in the drawing, in the order in which things happened, with the time since the fault:</p>
        <ol>${events.map(({ text }) => html`<li>${text}</li>`)}</ol>
      </div>
    </div>
  `;
}

interface Mark {
  readonly text: string;
  readonly bad: boolean;
}

interface Drawing {
  readonly id: string;
  readonly title: string;
  readonly topology: PairTopology;
  /** Undefined when nobody looked. */
  readonly holders: Holders | undefined;
  readonly events: readonly NumberedEvent[];
  readonly marks: ReadonlyMap<string, Mark>;
}

/** A pair's network as a drawing: who is plugged in where, and which firewall has the virtual addresses. */
export function drawing({ id, title, topology, holders, events, marks }: Drawing): VNode {
  const layout = layOut(topology);
  const said = layout.boxes.map(({ machine }) => `${machine.name}: ${[...statesOf(machine.name, topology, holders), marks.get(machine.name)?.text ?? ""].filter((word) => word !== "").join(", ") || "endpoint"}`);
  return html`<svg class="chart network" role="img" aria-labelledby=${`${id}-title`} aria-describedby=${`${id}-desc`} viewBox=${`0 0 ${layout.width} ${layout.height}`} style=${`max-width:${layout.width * 1.15}px`} font-size="12">
    <title id=${`${id}-title`}>${title}</title>
    <desc id=${`${id}-desc`}>${[...said, ...events.map(({ number, text }) => `${number}: ${text}`)].join("; ")}</desc>
    ${layout.wires.map(
      ({ nic, x, from, until, label }) => html`<g>
        <line x1=${x} y1=${from} x2=${x} y2=${until} stroke=${colour("soft")} />
        <text x=${x + (label === "right" ? 5 : -5)} y=${from < until ? until - 13 : until + 21} text-anchor=${label === "right" ? "start" : "end"} fill=${colour("soft")} font-size="11">${`${nic.name} ${ownPart(nic)}`}</text>
      </g>`,
    )}
    ${layout.lines.map(
      ({ bridge, name, y, from, until }) => html`<g>
        <line x1=${from} y1=${y} x2=${until} y2=${y} stroke=${colour("ink")} stroke-width="4" stroke-linecap="round" />
        <text x=${name === "middle" ? (from + until) / 2 : until} y=${name === "above" ? y - 7 : y + 16} text-anchor=${name === "middle" ? "middle" : "end"} font-weight="700" fill=${colour("ink")}>${[bridge, networkOn(bridge, topology)].join(" ").trim()}</text>
      </g>`,
    )}
    ${layout.boxes.map((box) => machineBox(box, topology, holders, marks.get(box.machine.name)))}
    ${numbers(layout, events)}
  </svg>`;
}

/** What of a NIC's address stands at its wire: of IPv6, what is behind the network's part, for there is no room for more. */
function ownPart({ address }: Nic): string {
  return hostPart(address).replace(/^[\da-f:]+::(?=[\da-f]+$)/u, "::");
}

/** The IPv6 network on a bridge, which its NICs' wires leave out. */
function networkOn(bridge: string, { machines }: PairTopology): string {
  const addresses = machines.flatMap(({ nics }) => nics.filter((nic) => nic.bridge === bridge && nic.address.includes("::")).map(({ address }) => address.replace(/::.*\//u, "::/")));
  return [...new Set(addresses)].join(" ");
}

function machineBox({ machine, x, y, width, height }: Box, topology: PairTopology, holders: Holders | undefined, mark: Mark | undefined): VNode {
  const firewall = machine.role === "firewall";
  const states = statesOf(machine.name, topology, holders);
  const off = firewall && holders?.get(machine.name) === "off, or not seen";
  const lines = firewall ? states : [machine.name === topology.client ? "client" : machine.name === topology.server ? "server" : "endpoint"];
  const edge = mark !== undefined ? colour("fail") : states.length > 1 ? colour("pass") : colour("soft");
  return html`<g>
    <rect x=${x} y=${y} width=${width} height=${height} rx="6" fill=${colour("panel")} stroke=${edge} stroke-width=${mark !== undefined || states.length > 1 ? 2.5 : 1.25} stroke-dasharray=${off ? "6 4" : undefined} />
    <text x=${x + 10} y=${y + 18} font-weight="700" font-size="13" fill=${colour("ink")}>${machine.name}</text>
    ${lines.map((line, index) => html`<text x=${x + 10} y=${y + 34 + index * 16} fill=${colour(index > 0 ? "pass" : "soft")} font-weight=${index > 0 ? 700 : 400}>${line}</text>`)}
    ${mark === undefined ? null : html`<text x=${x + 10} y=${y + height - 30} font-weight="700" fill=${colour("fail")}>${`✘ ${mark.text}`}</text>`}
  </g>`;
}

/** What a firewall was, and the virtual addresses that it had, as it was seen. */
function statesOf(name: string, { machines }: PairTopology, holders: Holders | undefined): string[] {
  if (machines.find((machine) => machine.name === name)?.role !== "firewall" || holders === undefined) return [];
  const held = holders.get(name) ?? "off, or not seen";
  if (typeof held === "string") return [held];
  return [held.length > 0 ? "active, holds" : "backup", ...held.map((address) => `★ ${address}`)];
}

function heldIn({ virtualAddresses, machines }: PairTopology, observation: Observation): Holders {
  const firewalls = machines.filter(({ role }) => role === "firewall").map(({ name }) => name);
  return holdersIn(observation, firewalls, virtualAddresses.map(({ address }) => address));
}

/** The events' numbers, on their machines' lower edge and on their bridges. */
function numbers({ boxes, lines }: NetworkLayout, events: readonly NumberedEvent[]): VNode[] {
  const taken = new Map<string, number>();
  return events.flatMap(({ number, places }) =>
    places.flatMap((place) => {
      const index = taken.get(place) ?? 0;
      taken.set(place, index + 1);
      const box = boxes.find(({ machine }) => machine.name === place);
      const line = lines.find(({ bridge }) => bridge === place);
      const at = box !== undefined ? { x: box.x + 16 + (index % 7) * 21, y: box.y + box.height - 13 - Math.floor(index / 7) * 20 } : line !== undefined ? { x: (line.from + line.until) / 2 - 40 + index * 21, y: line.y } : undefined;
      if (at === undefined) return [];
      if (box !== undefined && box.machine.role === "endpoint") Object.assign(at, { x: box.x + box.width - 16 - index * 21, y: box.y + box.height / 2 });
      return [
        html`<g>
          <circle cx=${at.x} cy=${at.y} r="9.5" fill=${colour("ink")} stroke=${colour("paper")} stroke-width="1.5" />
          <text x=${at.x} y=${at.y + 4} text-anchor="middle" font-size="11" font-weight="700" fill=${colour("paper")}>${number}</text>
        </g>`,
      ];
    }),
  );
}
