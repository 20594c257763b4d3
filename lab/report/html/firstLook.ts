import type { VNode } from "preact";
import type { CheckResult } from "../../evidence/run.ts";
import { quotesOf } from "./checkQuotes.ts";
import { html, visible, type Markup } from "./markup.ts";
import { quoteBlock } from "./quote.ts";
import type { RunStory } from "./runInput.ts";
import { facts, verdictMark } from "./words.ts";

/** Checks beyond these are in the table of checks only. */
const mostChecks = 6;

/** For a run that did not pass: what to look at first, with the lines that show it. The checks that decided the verdict, in the order in which they are judged. */
export async function firstLook(story: RunStory): Promise<Markup> {
  const { run, evidence } = story;
  const deciding = run.checks.filter(({ verdict }) => verdict === run.verdict);
  const shown = await Promise.all(deciding.slice(0, mostChecks).map((check, index) => oneCheck(check, index, story)));
  const others = deciding.slice(mostChecks);
  return html`
    ${evidence.interrupted === undefined ? null : html`<p class="note invalid"><strong>The run did not come to its end:</strong> ${visible(evidence.interrupted)}</p>`}
    ${deciding.length === 0 && evidence.interrupted === undefined ? html`<p class="note invalid">${visible(run.reason)}</p>` : shown}
    ${others.length > 0 ? html`<p>And ${others.length} more: ${others.map(({ id, phase }) => `${id} (${phase})`).join(", ")}.</p>` : null}
  `;
}

async function oneCheck(check: CheckResult, index: number, story: RunStory): Promise<VNode> {
  const { id, phase, verdict, measured, allowed, explanation } = check;
  const quotes = (await quotesOf(check, story)).map((quote) => quoteBlock(quote, story.files));
  const body = html`<div>
    <p class=${`note ${verdict}`}>${visible(explanation)}</p>
    ${facts([["Measured", visible(measured)], ["Allowed", visible(allowed)]])}
    ${quotes}
  </div>`;
  const name = html`${verdictMark(verdict)} ${id} (${phase})`;
  return index === 0 ? html`<div><h3>${name}</h3>${body}</div>` : html`<details><summary>${name}</summary>${body}</details>`;
}
