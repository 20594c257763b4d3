import { measuredOutages } from "../../judge/trialsSummary.ts";
import { distributionOf, distributionText } from "../../judge/distribution.ts";
import { outageFigures } from "../../judge/outage.ts";
import type { Trials } from "../../evidence/trials.ts";
import { html, visible, type Markup } from "./markup.ts";
import type { RunStory } from "./runInput.ts";
import { spreadChart, type SpreadValue } from "./spread.ts";
import { ms } from "./words.ts";

/** How this run's outage lies among the trials', where it is one of them; and how its flows' stalls are spread. */
export async function spreadSection(story: RunStory): Promise<Markup> {
  const { trials, run } = story;
  const overTrials = trials === undefined ? null : html`<h3>Over the trials</h3>${await trialsSpread(trials, run.id)}`;
  const overFlows = await Promise.all(
    story.transitions.map(async ({ transition: { phase }, scene }) => {
      if (scene === undefined) return null;
      const stalls = outageFigures(scene).flowStalls.filter(({ idle }) => !idle);
      const distribution = distributionOf(stalls.map(({ lengthMs }) => lengthMs));
      if (distribution === null) return html`<p>No flow that speaks all the time moved again in the ${phase}.</p>`;
      const longest = stalls[0];
      if (stalls.length === 1) return html`<p>One flow alone that speaks all the time moved again in the ${phase}: ${visible(longest?.id ?? "")}, after ${ms(longest?.lengthMs)}.</p>`;
      const values = stalls.map(({ id, lengthMs }): SpreadValue => ({ name: visible(id), value: lengthMs, marked: id === longest?.id }));
      return html`<figure>
        <figcaption>Longest stall of each of the ${stalls.length} flows that speak all the time and moved again, ${phase}: ${distributionText(distribution)}. The diamond is ${visible(longest?.id ?? "")}; the box holds the middle half, the bar in it is the median.</figcaption>
        ${await spreadChart({ id: `stalls-${phase}`, title: `Stalls of the flows, ${phase}`, axis: "longest stall of a flow, ms", unit: "ms", values })}
      </figure>`;
    }),
  );
  return html`${overTrials}<h3>Over the flows</h3>${overFlows}`;
}

/** The network's own outage of each valid trial. @param own the bundle of the trial that the page is about, if it is about one. */
export async function trialsSpread(trials: Trials, own?: string): Promise<Markup> {
  const measured = trials.trials.flatMap((trial): SpreadValue[] =>
    measuredOutages([trial]).map((value) => ({ name: `trial ${trial.number}`, value, marked: trial.bundle === own })),
  );
  const { outageMs, neverResumed, counts } = trials.summary;
  const left = [
    ...(neverResumed > 0 ? [`in ${neverResumed} trials a flow never resumed, so their outage has no end`] : []),
    ...(counts.invalid > 0 ? [`${counts.invalid} trials are invalid`] : []),
  ];
  const without = left.length > 0 ? html`<p class="note fail">Not in this picture: ${left.join("; ")}.</p>` : null;
  if (measured.length === 0 || outageMs === null) return html`<p>No valid trial tells the network's own outage.</p>${without}`;
  if (measured.length === 1) return html`<p>One valid trial alone tells the network's own outage: ${ms(measured[0]?.value)}.</p>${without}`;
  const mine = measured.find(({ marked }) => marked);
  const place = mine === undefined ? null : html` This run is the diamond: ${ms(mine.value)}, longer than ${measured.filter(({ value }) => value < mine.value).length} of the ${measured.length - 1} others.`;
  return html`<figure>
    <figcaption>The network's own outage in ${measured.length} trials: ${distributionText(outageMs)}.${place} The box holds the middle half, the bar in it is the median.</figcaption>
    ${await spreadChart({ id: "trials", title: "The network's own outage over the trials", axis: "network's own outage, ms", unit: "ms", values: measured })}
  </figure>${without}`;
}
