import type { FlowResumption, Timeline } from "../../evidence/timeline.ts";
import { isReturn } from "../../judge/scene.ts";
import { everyFlow } from "../flowTable.ts";
import { fileLink } from "./evidenceLinks.ts";
import { capital } from "./ground.ts";
import { html, visible, type Markup } from "./markup.ts";
import type { RunStory } from "./runInput.ts";
import { timelineChart } from "./timelineChart.ts";
import { inOrder, sinceFault, stepWords, subjectWords } from "./timelineWords.ts";
import { moment, ms, table } from "./words.ts";

/** What happened when, of each transition: as a chart and as a table. */
export async function timelineSection(story: RunStory): Promise<Markup> {
  const { run } = story;
  if (run.timelines.length === 0) return html`<p class="note">${whyNone(story)} Each flow's own progress is below.</p>`;
  return Promise.all(run.timelines.map((timeline) => oneTimeline(timeline, story)));
}

function whyNone({ run }: RunStory): string {
  if (run.capture === "off") return "There is no timeline: packets were not captured in this run, as was asked for.";
  if (run.fault.atMs === null) return "There is no timeline: nothing was broken.";
  return "There is no timeline: this run has no capture, or was made by an fwlab that did not tell one.";
}

async function oneTimeline(timeline: Timeline, { files, transitions }: RunStory): Promise<Markup> {
  const { phase, from, to, faultAtMs, firewallMs, moments } = timeline;
  const struck = !transitions.some(({ transition }) => transition.phase === phase && isReturn(transition));
  const unseen = moments.filter(({ atMs }) => atMs === null);
  return html`
    <h3>${capital(phase)}: ${from} to ${to}</h3>
    <p>Time 0 is ${struck ? "the fault" : `the moment that the return of ${to} is counted from`}, ${moment(faultAtMs)}. ${
      firewallMs === null ? `When ${to} forwarded both ways again was not seen.` : html`${struck ? `${to} forwarded both ways again after` : `Between the last packet through ${from} and the first through ${to} passed`} <strong>${ms(firewallMs)}</strong>: that is the firewalls' part. What flows stood still beyond it is their own back-off.`
    }</p>
    ${windowWords(timeline)}
    <figure><figcaption>Bars are lengths, dots are moments, a line through a dot is its error; the dashed line is the fault.</figcaption>${await timelineChart(timeline)}</figure>
    ${unseen.length > 0 ? html`<p class="note">Not seen: ${unseen.map((each) => `${stepWords(each.step, timeline)} (${subjectWords(each)}): ${visible(each.detail)}`).join("; ")}</p>` : null}
    ${table(
      `Moments of the ${phase}, by the host's clock`,
      [
        { name: "Moment", cell: (each) => stepWords(each.step, timeline) },
        { name: "Of", cell: (each) => visible(subjectWords(each)) },
        { name: "Since the fault", number: true, cell: ({ atMs }) => sinceFault(atMs, faultAtMs) },
        { name: "Error", number: true, cell: ({ atMs, errorMs }) => (atMs === null ? "–" : `± ${errorMs === 0 ? "0" : errorMs.toFixed(1)} ms`) },
        { name: "What was seen", cell: ({ detail }) => visible(detail) },
        { name: "Evidence", cell: ({ evidence }) => fileLink(evidence, files) },
      ],
      inOrder(moments),
    )}
    ${resumptions(timeline)}
  `;
}

function windowWords({ window, to }: Timeline): Markup {
  if (window === null) return null;
  const { lengthMs, errorMs, packets } = window;
  const met =
    packets === null
      ? " What packets met it is not known without a capture."
      : ` ${packets.entered} packets of flows met it then: ${packets.forwarded} were forwarded, ${packets.dropped} dropped, ${packets.answered} answered with a reset or an ICMP error.`;
  const length = html`<strong>${ms(Math.abs(lengthMs))}</strong> (± ${Math.ceil(errorMs)} ms)`;
  return lengthMs > 0
    ? html`<p class=${packets !== null && packets.dropped + packets.answered > 0 ? "note fail" : "note"}>For ${length} ${to} had the virtual addresses and not yet the states.${met}</p>`
    : html`<p class="note pass">The states were in ${to}'s kernel ${length} before it had the virtual addresses.${lengthMs === 0 && packets !== null ? met : ""}</p>`;
}

const mostShown = 10;

function resumptions({ phase, flows, faultAtMs }: Timeline): Markup {
  if (flows.length === 0) return null;
  const sorted = flows.toSorted((a, b) => length(b) - length(a));
  const shown = flows.length <= 2 * everyFlow ? sorted : sorted.slice(0, mostShown);
  return html`<details><summary>How each flow's stall divides (${shown.length === flows.length ? flows.length : `the longest ${shown.length} of ${flows.length}`} directions)</summary>
    ${table(
      `Stalls of the ${phase}, the longest first: until the firewall forwarded, and the flow's own back-off from then on`,
      [
        { name: "Flow", cell: ({ id }) => visible(id) },
        { name: "Direction", cell: ({ direction }) => direction },
        { name: "Last before", number: true, cell: ({ lastAtMs }) => sinceFault(lastAtMs, faultAtMs) },
        { name: "First after", number: true, cell: ({ resumedAtMs }) => (resumedAtMs === null ? "never" : sinceFault(resumedAtMs, faultAtMs)) },
        { name: "Firewall's part", number: true, cell: ({ firewallMs }) => ms(firewallMs) },
        { name: "Back-off", number: true, cell: ({ backoffMs }) => ms(backoffMs) },
      ],
      shown,
    )}
  </details>`;
}

/** How long a direction stood still; for ever sorts first. */
function length({ lastAtMs, resumedAtMs }: FlowResumption): number {
  return resumedAtMs === null ? Number.MAX_SAFE_INTEGER : resumedAtMs - (lastAtMs ?? resumedAtMs);
}
