import { render } from "preact-render-to-string";
import { pageHead } from "../report/html/document.ts";
import type { Holders } from "../report/html/holders.ts";
import { drawing } from "../report/html/networkSection.ts";
import { html, trusted, visible, written, type Markup } from "../report/html/markup.ts";
import { sandwichDrawing } from "../report/html/sandwichNetwork.ts";
import { pairs } from "../judge/topologies.ts";
import { sandwiches } from "../topology/sandwich.ts";
import type { Change } from "./changes.ts";
import type { LabStatus, StatusMachine } from "./words.ts";

/** What is shown: the lab as it was seen last, and what changed before. */
export interface Watched {
  readonly name: string;
  readonly status: LabStatus;
  /** When it was seen, by the host's epoch clock. */
  readonly atMs: number;
  /** The newest first. */
  readonly changes: readonly Change[];
}

/** Puts what the server sends in its place, and says when nothing comes any more. */
const script = `
const source = new EventSource("events" + location.search);
const content = document.getElementById("content");
const link = document.getElementById("link");
source.onmessage = (event) => { content.innerHTML = JSON.parse(event.data); link.textContent = "live"; link.className = "muted"; };
source.onerror = () => { link.textContent = "no word from the lab: it is down, or fwlab watch has ended"; link.className = "verdict fail"; };
`;

/** The page, with what is seen now in it. @param nonce lets this page's own script run, and no other. */
export function watchPage(watched: Watched, nonce: string): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
  return written(html`
    <html lang="en">
      ${pageHead(`fwlab: ${watched.name}`, policy)}
      <body>
        <header><h1>${`The lab ${watched.name}`}</h1><p id="link" class="muted" role="status">live</p></header>
        <main id="content">${watchedContent(watched)}</main>
        ${trusted("script", { nonce }, script)}
      </body>
    </html>
  `);
}

/** The part that changes, as markup. */
export function watchedMarkup(watched: Watched): string {
  return render(html`<div>${watchedContent(watched)}</div>`);
}

function watchedContent({ status, atMs, changes }: Watched): Markup {
  const { topology: name, config, accelerator, machines, natives, flows, broken } = status;
  const topology = pairs.get(name);
  const sandwich = sandwiches.get(name);
  return html`
    <p>${`${name}, config ${visible(config)}, ${accelerator}; seen at ${timeOf(atMs)}`}</p>
    ${flows === null ? html`<p>No flows were opened.</p>` : html`<p class="flows">Flows: <strong>${`${flows.moving} of ${flows.open} moving`}</strong>${flows.still.length === 0 ? "" : `; standing still: ${flows.still.join(", ")}`}</p>`}
    ${broken.length === 0 ? null : html`<p class="verdict fail">${`Broken by hand: ${broken.map(({ id, target }) => `${id} of ${target}`).join(", ")}`}</p>`}
    <h2 id="machines">Machines</h2>
    <div class="scroll" role="region" aria-labelledby="machines" tabindex="0"><table>
      <thead><tr>${["Machine", "State", "VRRP", "Holds", "Connections", "Replicated"].map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
      <tbody>${machines.map((machine) => html`<tr><th scope="row">${machine.name}</th><td>${machine.state}</td>${firewallCells(machine).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
    </table></div>
    ${natives.length === 0 ? null : html`<p class="muted">${`Native hosts: ${natives.join(", ")}`}</p>`}
    ${sandwich === undefined ? null : html`<h2>Network</h2>${sandwichDrawing({ id: "network", title: "The network as it is now", topology: sandwich, holders: holdersOf(machines), broken: new Map(broken.map(({ id, target }) => [target.split(".")[0] ?? "", id])) })}`}
    ${topology === undefined ? null : html`<h2>Network</h2>${drawing({ id: "network", title: "The network as it is now", topology, holders: holdersOf(machines), events: [], marks: new Map(broken.map(({ id, target }) => [target.split(".")[0] ?? "", { text: id, bad: true }])) })}`}
    <h2>What changed</h2>
    ${changes.length === 0 ? html`<p class="muted">Nothing since this page's server began to look.</p>` : html`<ol class="changes">${changes.map(({ atMs: when, text, bad }) => html`<li><span class="mono muted">${timeOf(when)}</span> ${bad ? html`<strong>${visible(text)}</strong>` : visible(text)}</li>`)}</ol>`}
  `;
}

function firewallCells({ firewall }: StatusMachine): string[] {
  if (firewall === undefined) return ["", "", "", ""];
  if (firewall === null) return ["no answer", "", "", ""];
  const { vrrp, holds, conntrackEntries, replication } = firewall;
  return [vrrp === null ? "no keepalived" : [...new Set(vrrp.map(({ state }) => state))].join(", "), holds.join(", ") || "none", conntrackEntries === null ? "" : String(conntrackEntries), replication === null ? "no cache" : `${replication.internal} own, ${replication.external} of the other's`];
}

function holdersOf(machines: readonly StatusMachine[]): Holders {
  return new Map(machines.filter(({ role }) => role === "firewall").map(({ name, firewall }) => [name, firewall === undefined ? "off, or not seen" : firewall === null ? "gave no answer" : firewall.holds] as const));
}

function timeOf(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
}
