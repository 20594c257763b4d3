import type { Trial, TrialDistribution, Trials } from "../../evidence/trials.ts";
import { distributionText } from "../../judge/distribution.ts";
import { hasNoEnd, measuredOutages } from "../../judge/trialsSummary.ts";
import { barLines, binsOf } from "../histogram.ts";
import { documentOf, type Section } from "./document.ts";
import { again, machineFacts, versionFacts } from "./ground.ts";
import { html, visible, type Markup } from "./markup.ts";
import { phaseChart } from "./phaseChart.ts";
import { trialsSpread } from "./spreadSection.ts";
import { broughtBy } from "../trialFlows.ts";
import { facts, grouped, ms, said, seconds, table, tiles, verdictMark } from "./words.ts";

/**
 * Trials for people who were not there: the verdict, how the outages are spread, each trial with the way to its own report. It lies beside
 * `trials.json` as `report.html`. @param files paths of the folder's files, for links to what is there.
 */
export async function renderTrialsReport(trials: Trials, files: readonly string[]): Promise<string> {
  const there = new Set(files);
  const failed = trials.trials.filter(({ verdict }) => verdict !== "pass");
  const sections: Section[] = [
    { id: "ground", heading: "What was tried", body: ground(trials) },
    ...(failed.length > 0 ? [{ id: "first", heading: "Look at this first", body: notPassed(failed, there) }] : []),
    { id: "spread", heading: "How the outage is spread", body: html`${await trialsSpread(trials)}${await phase(trials)}${histogram(trials)}` },
    { id: "trials", heading: "Trials", body: trialTable(trials, there) },
    { id: "figures", heading: "Figures", body: figures(trials) },
  ];
  return documentOf({ title: `${trials.verdict.toUpperCase()}: fwlab trials ${trials.id}`, head: head(trials), sections, foot: html`fwlab trials ${trials.id}. Made from the trials.json beside this page.` });
}

function head({ id, verdict, reason, fault, topology, summary, trials }: Trials): Markup {
  const { counts, outageMs, longestStallMs, flowsSurvived } = summary;
  return html`
    <p>${verdictMark(verdict, "large")}</p>
    <h1>${trials.length} times ${fault.id} of ${fault.target}, ${topology}</h1>
    <p class="reason">${visible(reason)}</p>
    <p class="muted">fwlab trials ${id}</p>
    ${tiles([
      [`${counts.pass} of ${trials.length}`, "trials passed"],
      [`${grouped(flowsSurvived.survived)} of ${grouped(flowsSurvived.of)}`, "flows survived, valid trials"],
      [ms(outageMs?.median), "network's own outage, median"],
      [ms(outageMs?.max), "network's own outage, longest"],
      [ms(longestStallMs?.max), "longest stall of a flow"],
    ])}
  `;
}

function ground(trials: Trials): Markup {
  const { topology, config, fault, flows, flowKinds, seed, spreadMs, planned } = trials;
  const kinds = Object.entries(flowKinds ?? {}).filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`);
  return html`${facts([
    ["Topology", topology],
    ["Config tree", html`${said([config.path, ...config.overlays].join(" + "))}, SHA-256 ${said(config.sha256)}`],
    ["Fault", `${fault.id} of ${fault.target}, ${planned} times planned, spread over ${spreadMs} ms`],
    ["Seed", html`${said(String(seed))}: with it the moments are the same again`],
    ["Flows", `${flows}${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}, ${broughtBy(trials)} for each trial`],
    ...machineFacts(trials),
    ...versionFacts(trials),
  ])}${again(trials)}`;
}

function notPassed(failed: readonly Trial[], files: ReadonlySet<string>): Markup {
  return html`<ul>${failed.slice(0, 20).map((trial) => html`<li>${verdictMark(trial.verdict)} ${trialLink(trial, files)}: ${visible(trial.reason)}</li>`)}</ul>${failed.length > 20 ? html`<p>And ${failed.length - 20} more: see the table.</p>` : null}`;
}

function trialLink({ number, bundle }: Trial, files: ReadonlySet<string>): Markup {
  const page = [`${bundle}/report.html`, `${bundle}/run.json`].find((path) => files.has(path));
  return page === undefined ? `trial ${number}` : html`<a href=${`./${page.split("/").map(encodeURIComponent).join("/")}`}>trial ${number}</a>`;
}

/** The outage over the offset: whether the moment of the strike explains it. */
async function phase({ trials }: Trials): Promise<Markup> {
  const points = trials.flatMap((trial) => measuredOutages([trial]).map((value) => ({ x: trial.struckMs ?? trial.offsetMs, y: value })));
  if (points.length < 2) return null;
  return html`<figure>
    <figcaption>The network's own outage by the moment of the strike: three adverts and the skew, less what had passed of the current advert, give a slope; what is scattered around it is something else.</figcaption>
    ${await phaseChart({ id: "phase", title: "Outage by moment of the strike", points })}
  </figure>`;
}

function histogram({ trials }: Trials): Markup {
  const bins = binsOf(measuredOutages(trials));
  if (bins.length === 0) return null;
  const lines = barLines(bins.map(({ from, until, count }) => ({ label: `${from} - ${until - 1} ms`, count })), 60);
  return html`<details><summary>As a histogram in figures</summary><pre><code>${lines.join("\n")}</code></pre></details>`;
}

function trialTable({ trials }: Trials, files: ReadonlySet<string>): Markup {
  if (trials.length === 0) return html`<p>No trial was made.</p>`;
  const aside = (trial: Trial, text: string) => (trial.verdict === "invalid" || hasNoEnd(trial) ? `(${text})` : text);
  return table(
    `${trials.length} trials; figures in brackets are in no distribution: the trial is invalid, or a flow never resumed`,
    [
      { name: "Trial", cell: (trial) => trialLink(trial, files) },
      { name: "Verdict", cell: ({ verdict }) => verdictMark(verdict) },
      { name: "Offset", number: true, cell: ({ offsetMs }) => `${offsetMs.toFixed(3)} ms` },
      { name: "Struck", number: true, cell: ({ struckMs }) => ms(struckMs) },
      { name: "Network's outage", number: true, cell: (trial) => aside(trial, ms(trial.outage?.networkMs)) },
      { name: "Longest stall", number: true, cell: (trial) => (hasNoEnd(trial) ? "never resumed" : aside(trial, ms(trial.outage?.stalls?.max))) },
      { name: "Survived", number: true, cell: ({ survived, flows }) => `${survived} of ${flows}` },
      { name: "Failing checks", cell: ({ failedChecks }) => failedChecks.join(", ") || "–" },
      { name: "Took", number: true, cell: ({ durations }) => (durations["totalMs"] === undefined ? "–" : seconds(durations["totalMs"])) },
    ],
    trials,
  );
}

function figures({ planned, trials, summary }: Trials): Markup {
  const { counts, neverResumed, outageMs, longestStallMs, trialMs, costSlopeMsPerTrial } = summary;
  const told = (distribution: TrialDistribution | null) => (distribution === null ? "no valid trial tells it" : `${distributionText(distribution)} over ${distribution.trials} of ${trials.length} trials`);
  return facts([
    ["Verdicts", `${planned} planned: ${counts.pass} passed, ${counts.fail} failed, ${counts.invalid} invalid${planned > trials.length ? `, ${planned - trials.length} not made` : ""}`],
    ["Network's own outage", told(outageMs)],
    ["Longest stall", told(longestStallMs)],
    ...(neverResumed > 0 ? [["Without end", `in ${neverResumed} trials a flow never resumed; the two above are over the others`] as const] : []),
    ["Cost of a trial", told(trialMs)],
    ...(costSlopeMsPerTrial === null ? [] : [["Slope of the cost", `${costSlopeMsPerTrial} ms a trial, by least squares`] as const]),
  ]);
}
