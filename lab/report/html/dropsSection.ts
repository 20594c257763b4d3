import type { Drops } from "../../evidence/timeline.ts";
import { capital } from "./ground.ts";
import { html, visible, type Markup } from "./markup.ts";
import { zeroOf, type RunStory } from "./runInput.ts";
import { sinceFault } from "./timelineWords.ts";
import { facts, grouped, table } from "./words.ts";

/** Packets of flows that a firewall took in and did not let out, and what its ruleset says of them. */
export function dropsSection(story: RunStory): Markup {
  const { drops, capture } = story.run;
  if (drops.length > 0) return drops.map((each) => oneFirewall(each, story));
  const why = capture === "off" ? "packets were not captured in this run, as was asked for" : "this run has no capture, or was made by an fwlab that did not count them";
  return html`<p class="note">Drops were not counted at the taps: ${why}. What the ruleset and connection tracking counted is below, and in the check no-drops-on-survivor.</p>${story.transitions.map((each) => rulesetCounters(each.transition))}`;
}

function oneFirewall(drops: Drops, story: RunStory): Markup {
  const { phase, firewall, entered, forwarded, dropped, late, changed, open, flows, answered, ruleset, disagreement } = drops;
  const transition = story.transitions.find((each) => each.transition.phase === phase)?.transition;
  const faultMs = transition === undefined ? (story.run.fault.atMs ?? 0) : zeroOf(story, transition);
  return html`
    <h3>${capital(phase)}: ${firewall}</h3>
    ${facts([
      ["Went in", `${grouped(entered)} packets of flows`],
      ["Came out", `${grouped(forwarded)}${changed === undefined || changed === 0 ? "" : `, ${grouped(changed)} of them with a tuple that is not their flow's: the translation was lost`}`],
      ["Never did", html`<strong>${grouped(dropped)}</strong>${late === undefined || late === 0 ? "" : `, with ${grouped(late)} that came out so late that they had been queued`}`],
      ...(open === undefined || open === 0 ? [] : [["Not to be told", `${grouped(open)} more went in so shortly before the capture ended that nothing can be said of them`] as const]),
      ["By the ruleset", ruleset === null ? "its counters and log tell nothing" : `${ruleset.counted === null ? "no counter" : `${grouped(ruleset.counted)} counted`}, ${grouped(ruleset.logged)} logged, ${grouped(ruleset.loggedOfFlows)} of these of flows`],
    ])}
    ${disagreement === null ? null : html`<p class="note fail"><strong>Taps and ruleset disagree:</strong> ${visible(disagreement)}</p>`}
    ${flows.length === 0 ? html`<p>No packet of a flow was dropped.</p>` : dropTable(drops, faultMs)}
    ${
      answered.length === 0
        ? null
        : table(
            `Answered by ${firewall} itself, ${phase}`,
            [
              { name: "Flow", cell: ({ id }) => visible(id) },
              { name: "Direction", cell: ({ direction }) => direction },
              { name: "With", cell: ({ what }) => visible(what) },
              { name: "Packets", number: true, cell: ({ packets }) => grouped(packets) },
              { name: "First", number: true, cell: ({ firstAtMs }) => sinceFault(firstAtMs, faultMs) },
            ],
            answered.slice(0, mostRows),
          )
    }
    ${transition === undefined ? null : rulesetCounters(transition)}
  `;
}

const mostRows = 100;

function dropTable({ phase, firewall, flows }: Drops, faultMs: number): Markup {
  const shown = flows.toSorted((a, b) => b.packets - a.packets).slice(0, mostRows);
  const caption = `Packets that went into ${firewall} and never came out, ${phase}${shown.length < flows.length ? `: the ${shown.length} rows with the most of ${flows.length}` : ""}`;
  return table(
    caption,
    [
      { name: "Flow", cell: ({ id }) => visible(id) },
      { name: "Direction", cell: ({ direction }) => (direction === "forward" ? "client to server" : "server to client") },
      { name: "When", cell: ({ moment }) => ({ before: "before the fault", outage: "in the outage", after: "after it" })[moment] },
      { name: "Packets", number: true, cell: ({ packets }) => grouped(packets) },
      { name: "First", number: true, cell: ({ firstAtMs }) => sinceFault(firstAtMs, faultMs) },
    ],
    shown,
  );
}

/** Drop counters of the ruleset, before and after. */
function rulesetCounters({ phase, to, before, after }: RunStory["transitions"][number]["transition"]): Markup {
  const looks = [before, after].map((observation) => observation.firewalls[to]?.dropCounters);
  const [first, last] = looks.map((look) => (look?.ok === true ? look.data : undefined));
  if (first === undefined || last === undefined) return html`<p class="muted">The drop counters of ${to} (${phase}) could not be read.</p>`;
  const rules = [...new Set([...first, ...last].map(({ rule }) => rule))];
  const total = (counters: typeof first, rule: string) => counters.filter((counter) => counter.rule === rule).reduce((sum, { packets }) => sum + packets, 0);
  if (rules.length === 0) return html`<p class="muted">The ruleset of ${to} has no counter of drops (${phase}).</p>`;
  return table(
    `Drop counters of ${to}'s ruleset, ${phase}: all packets that they drop, probes that are to be refused included`,
    [
      { name: "Rule", cell: (rule) => visible(rule) },
      { name: "Before", number: true, cell: (rule) => grouped(total(first, rule)) },
      { name: "After", number: true, cell: (rule) => grouped(total(last, rule)) },
      { name: "Grown by", number: true, cell: (rule) => grouped(total(last, rule) - total(first, rule)) },
    ],
    rules,
  );
}
