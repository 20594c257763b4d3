import type { Timeline, TimelineStep } from "../../evidence/timeline.ts";
import { isReturn } from "../../judge/scene.ts";
import type { PairTopology } from "../../topology/topology.ts";
import { capital } from "./ground.ts";
import { zeroOf, type RunStory, type TransitionStory } from "./runInput.ts";
import { inOrder, sinceFault, stepWords, subjectWords } from "./timelineWords.ts";
import { visible } from "./markup.ts";
import { ms } from "./words.ts";

/** Something that happened, with the number that stands for it in the drawing. */
export interface NumberedEvent {
  readonly number: number;
  readonly text: string;
  /** Machines and bridges where it happened. */
  readonly places: readonly string[];
}

/** What happened in a transition, in the order in which it happened, each with its places. */
export function eventsOf(story: RunStory, { transition }: TransitionStory): NumberedEvent[] {
  const { phase, to, fault } = transition;
  const timeline = story.run.timelines.find((each) => each.phase === phase);
  const fallen = story.run.drops.filter((drops) => drops.phase === phase && drops.dropped > 0);
  const zeroMs = zeroOf(story, transition);
  const happened: { readonly atMs: number; readonly text: string; readonly places: readonly string[] }[] = [
    { atMs: fault.atMs, text: !isReturn(transition) ? `${capital(fault.id)} of ${fault.target}` : visible(fault.effect.measured), places: [fault.target] },
    ...(timeline === undefined || story.topology === undefined ? [] : steps(timeline, story.topology)),
    ...fallen.map(({ firewall, dropped, flows }) => ({
      atMs: Math.min(...flows.map(({ firstAtMs }) => firstAtMs)),
      text: `${firewall} drops the first of ${dropped} packets of flows`,
      places: [firewall],
    })),
  ];
  if (timeline === undefined) {
    const outage = story.run.outages.find((each) => each.phase === phase);
    if (outage?.networkMs != null) happened.push({ atMs: fault.atMs + outage.networkMs, text: `${outage.neverResumed.length > 0 ? `${outage.flows - outage.neverResumed.length} of ${outage.flows} ` : ""}flows move again through ${to}, by what they received (network's own outage ${ms(outage.networkMs)})`, places: [to] });
  }
  return happened
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text, places }, index) => ({ number: index + 1, text: `${sinceFault(Number.isFinite(atMs) ? atMs : null, zeroMs)}: ${text}`, places }));
}

/** One event a step: its first moment, with all that it is told of. */
function steps(timeline: Timeline, topology: PairTopology): { atMs: number; text: string; places: string[] }[] {
  const seen = inOrder(timeline.moments).filter(({ atMs }) => atMs !== null);
  const order = [...new Set(seen.map(({ step }) => step))];
  return order.map((step) => {
    const moments = seen.filter((each) => each.step === step);
    const subjects = moments.map(subjectWords).filter((subject) => subject !== "");
    return {
      atMs: moments[0]?.atMs ?? Number.NaN,
      text: visible(`${stepWords(step, timeline)}${subjects.length > 0 ? ` (${[...new Set(subjects)].join(", ")})` : ""}`),
      places: [...new Set(moments.map(({ subject }) => placeOf(step, subject, timeline, topology)))],
    };
  });
}

function placeOf(step: TimelineStep, subject: string, { to }: Timeline, { bridges, client }: PairTopology): string {
  if (bridges.includes(subject)) return subject;
  return step === "last-flow-moves" ? client : to;
}
