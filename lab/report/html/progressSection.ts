import type { VNode } from "preact";
import { everyFlow } from "../flowTable.ts";
import { firstOf } from "../../judge/scene.ts";
import { capital } from "./ground.ts";
import { html, visible, type Markup } from "./markup.ts";
import { progressOf, ratesOf, stallOf, windowOf, type FlowProgress, type Window } from "./progress.ts";
import { directionStyles, flowChart, rateChart } from "./progressCharts.ts";
import type { RunStory, TransitionStory } from "./runInput.ts";
import { ms } from "./words.ts";

/** Flows that are drawn where there are too many to draw all. */
const mostDrawn = 12;

/** Every flow's records across each transition; of many flows the worst. */
export async function progressSection(story: RunStory): Promise<Markup> {
  if (story.figures.length === 0) return html`<p>No flow was opened.</p>`;
  if (story.transitions.length === 0) return html`<p>Nothing was broken, so there is nothing to cross.</p>`;
  return html`
    <p>
      The record's number, counted from the first one shown, when it came in:${" "}
      <span class="key" style=${`color:${directionStyles.forward.stroke}`}></span>client to server (solid),${" "}
      <span class="key" style=${`color:${directionStyles.reverse.stroke}`}></span>server to client (dashed). The dashed upright line is the fault, the band the longest stall, a cross a record that was lost, at the time it was sent. Axes: seconds since the fault, record number.
    </p>
    ${await Promise.all(story.transitions.map((here) => oneTransition(story, here)))}
  `;
}

async function oneTransition(story: RunStory, here: TransitionStory): Promise<VNode> {
  const { phase, from, to } = here.transition;
  const window = windowOf(story, here);
  const all = story.figures.length <= everyFlow;
  const drawn = (all ? story.figures : worstOf(story, here)).map((figures) => progressOf(figures, here, window)).toSorted((a, b) => Number(b.faults.length > 0) - Number(a.faults.length > 0));
  const title = `Records that came in, ${phase}`;
  const charts = html`<div class="multiples">${await Promise.all(drawn.map((progress, index) => oneFlow(`progress-${phase}-${index}`, progress, window)))}</div>`;
  const many = all ? `All ${drawn.length} flows` : `The worst ${drawn.length} of ${story.figures.length} flows`;
  return html`
    <h3>${capital(phase)}: ${from} to ${to}</h3>
    <figure><figcaption>${title}, all ${story.figures.length} flows by kind</figcaption>${await rateChart(`rate-${phase}`, title, ratesOf(story.figures, window), window)}</figure>
    ${phase === "failover" || drawn.some(({ faults }) => faults.length > 0) ? html`<h4>${many}</h4>${charts}` : html`<details><summary>${many}</summary>${charts}</details>`}
  `;
}

function worstOf({ figures }: RunStory, here: TransitionStory) {
  const badness = new Map(figures.map((each) => {
    const stall = stallOf(each, here);
    return [each, stall === undefined ? Number.MAX_SAFE_INTEGER : stall.lengthMs + (stall.endMs === undefined ? 1e9 : 0)] as const;
  }));
  return figures.toSorted((a, b) => (badness.get(b) ?? 0) - (badness.get(a) ?? 0)).slice(0, mostDrawn);
}

async function oneFlow(id: string, progress: FlowProgress, window: Window): Promise<VNode> {
  const { kind, mode, faults, directions } = progress;
  const lost = directions.reduce((sum, { lostCount }) => sum + lostCount, 0);
  const survived = faults.length === 0;
  return html`<figure>
    <figcaption>
      <strong class=${`verdict ${survived ? "pass" : "fail"}`}><span aria-hidden="true">${survived ? "✔" : "✘"}</span>${visible(progress.id)}</strong>${" "}
      ${kind} ${mode}; ${stallWords(progress)}${lost > 0 ? `; ${lost} lost` : ""}${survived ? "" : `; did not survive: ${visible(firstOf(faults))}`}
    </figcaption>
    ${await flowChart(id, progress, window)}
  </figure>`;
}

function stallWords({ mode, stall, faults }: FlowProgress): string {
  if (stall === undefined) return faults.length > 0 ? "carried nothing" : "no stall";
  if (mode === "idle") return `told to speak, waited ${ms(stall.lengthMs)} at most`;
  return stall.until === undefined ? "never moved again" : `stood still ${ms(stall.lengthMs)}`;
}
