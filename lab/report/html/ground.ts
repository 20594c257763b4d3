import { quotesFolder } from "../quotes.ts";
import { fileLinks } from "./evidenceLinks.ts";
import { html, visible, type Markup } from "./markup.ts";
import type { RunStory } from "./runInput.ts";
import { facts, grouped, moment, ms, said, seconds, tiles, verdictMark } from "./words.ts";
import type { Run } from "../../evidence/run.ts";

/** Top of a run's report: the verdict and its reason, and the figures that say most. */
export function verdictHead({ run, trials }: RunStory): Markup {
  const survived = run.flows.filter((flow) => flow.survived).length;
  const figures: (readonly [string, string])[] = [];
  if (run.flows.length > 0) figures.push([`${survived} of ${run.flows.length}`, "flows survived"]);
  for (const { phase, networkMs, stalls, neverResumed } of run.outages) {
    figures.push([ms(networkMs), `network's own outage, ${phase}`]);
    for (const { firewallMs } of ofPhase(run.timelines, phase)) figures.push([ms(firewallMs), `firewalls' part, ${phase}`]);
    figures.push(neverResumed.length > 0 ? [String(neverResumed.length), `flows never resumed, ${phase}`] : [ms(stalls?.max), `longest stall of a flow, ${phase}`]);
    for (const { firewall, dropped } of ofPhase(run.drops, phase)) figures.push([grouped(dropped), `packets of flows dropped by ${firewall}, ${phase}`]);
  }
  return html`
    <p>${verdictMark(run.verdict, "large")}</p>
    <h1>${run.fault.id} of ${run.fault.target}, ${run.topology}</h1>
    <p class="reason">${visible(run.reason)}</p>
    <p class="muted">fwlab run ${run.id}${trials === undefined ? null : html`, one of ${trials.planned} trials of <a href="../report.html">${trials.id}</a>`}; ${
      run.fault.atMs === null ? "the fault did not happen" : html`struck <time datetime=${new Date(run.fault.atMs).toISOString()}>${moment(run.fault.atMs)}</time>`
    }</p>
    ${figures.length > 0 ? tiles(figures) : null}
  `;
}

function ofPhase<T extends { readonly phase: string }>(all: readonly T[], phase: string): T[] {
  return all.filter((each) => each.phase === phase);
}

const began = { cold: "its machines were booted", warm: "restored from saved machines", live: "restored from a saved lab with live flows" } as const;

/** What was run, on what, and how to run it again. */
export function groundSection({ run, evidence, transitions, files }: RunStory): Markup {
  return html`
    ${facts([
      ["Topology", run.topology],
      ["Config tree", html`${said([run.config.path, ...run.config.overlays].join(" + "))}, SHA-256 ${said(run.config.sha256)}`],
      ["Flows", flowsInWords(run)],
      ["Fault", `${run.fault.id} of ${run.fault.target}${run.fault.atMs === null ? ", which did not happen" : `, ${moment(run.fault.atMs)}`}`],
      ...transitions.map(({ transition: { phase, from, to, fault } }) => [`${capital(phase)}, ${from} to ${to}`, html`${moment(fault.atMs)}: ${said(fault.effect.measured)}`] as const),
      ...machineFacts(run),
      ...(run.begun === undefined ? [] : [["Lab", began[run.begun]] as const]),
      ...versionFacts(run),
      ...(run.hostDelayMs === undefined ? [] : [["Host", `a timer woke ${ms(run.hostDelayMs)} late at worst`] as const]),
      ["Took", Object.entries(run.durations).map(([name, value]) => `${name.replace(/Ms$/u, "")} ${seconds(value)}`).join(", ") || "not told"],
      ...quotedFacts(files),
      ...(evidence.interrupted === undefined ? [] : [["Interrupted", visible(evidence.interrupted)] as const]),
    ])}
    ${again(run)}
  `;
}

/** What the run quotes of raw answers, as a fact; none when it quotes nothing. */
function quotedFacts(files: ReadonlySet<string>): readonly (readonly [string, Markup])[] {
  const quotes = [...files].filter((file) => file.startsWith(`${quotesFolder}/`)).toSorted();
  return quotes.length === 0 ? [] : [["Quoted", fileLinks(quotes, files)]];
}

/** The command that repeats a run or trials. */
export function again({ command }: Pick<Run, "command">): Markup {
  return command === undefined ? html`<p class="muted">The command that repeats this was not recorded.</p>` : html`<p>Run it again:</p><pre><code>${visible(command)}</code></pre>`;
}

/** Versions by name, as a fact; none when nothing is told. */
export function versionFacts({ versions }: Pick<Run, "versions">): readonly (readonly [string, Markup])[] {
  const told = Object.entries(versions);
  return told.length === 0 ? [] : [["Versions", visible(told.map(([name, version]) => `${name} ${version}`).join(", "))]];
}

/** On what machines it ran: in every report. */
export function machineFacts({ host }: Pick<Run, "host">): readonly (readonly [string, Markup])[] {
  const how = host.accelerator === "kvm" ? "KVM" : "TCG, emulated";
  return [["Machines", html`${how}; ${host.cores} cores, QEMU ${host.qemu}, guest kernel ${host.guestKernel}. ${host.accelReason === "" ? null : html`<span class="muted">${visible(host.accelReason)}</span>`}`]];
}

function flowsInWords({ flows }: Run): string {
  const kinds = [...new Set(flows.map(({ kind }) => kind))];
  return flows.length === 0 ? "none was opened" : `${flows.length}: ${kinds.map((kind) => `${flows.filter((flow) => flow.kind === kind).length} ${kind}`).join(", ")}`;
}

/** A word at the beginning of a line. */
export function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
