import { join } from "node:path";
import Table from "cli-table3";
import type { Trial, TrialDistribution, Trials } from "../evidence/trials.ts";
import { distributionText } from "../judge/distribution.ts";
import { hasNoEnd } from "../judge/trialsSummary.ts";
import { broughtBy } from "./trialFlows.ts";
import { borderless, linesOf } from "./borderless.ts";
import { outageBars } from "./outageBars.ts";
import { groundFacts, pageOf, type Page, type TerminalLook } from "./page.ts";
import { wrapped } from "./wrapped.ts";

/**
 * The end of trials for people: what was tried, a line a trial, how the outages are spread, why each trial that did not pass did not,
 * the verdict. No line is wider than the terminal or 160 characters, except for a path that cannot be broken.
 * @param folder the folder of `trials.json`.
 */
export function renderTrials(trials: Trials, folder: string, look: TerminalLook): string {
  const page = pageOf(look);
  const { colors, fact, verdictFact } = page;
  return [
    colors.bold(`fwlab trials ${trials.id}`),
    ...groundFacts(trials, page),
    fact("fault", `${trials.fault.id} of ${trials.fault.target}, ${trials.planned} times, spread over ${trials.spreadMs} ms with seed ${trials.seed}`),
    fact("flows", `${trials.flows}, ${broughtBy(trials)} for each trial`),
    "",
    ...trialTable(trials.trials, page),
    "",
    ...histogram(trials, page),
    ...figures(trials, page),
    "",
    ...trials.trials.filter(({ verdict }) => verdict !== "pass").flatMap((trial) => whyLines(trial, folder, page)),
    verdictFact(trials.verdict),
    fact("reason", trials.reason),
    fact("trials", folder),
  ].join("\n");
}

/** From this width on the columns have their full names, and each figure its unit. */
const wide = 80;

function trialTable(trials: readonly Trial[], { width, colors, paint }: Page): string[] {
  if (trials.length === 0) return ["no trial was made"];
  const narrow = width < wide;
  const head = narrow ? ["trial", "offset ms", "verdict", "outage ms", "stall ms", "survived", "took s"] : ["trial", "offset", "verdict", "network outage", "longest stall", "survived", "took"];
  const plain = (text: string) => (narrow ? text.replace(/ m?s$/u, "") : text);
  const table = new Table({
    head: head.map(colors.bold),
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": narrow ? 1 : 2 },
    colAligns: head.map((name) => (name === "verdict" ? "left" : "right")),
  });
  for (const trial of trials) {
    const { number, verdict, outage, survived, flows, durations } = trial;
    const alive = `${survived}/${flows}`;
    table.push([
      String(number),
      plain(offsetText(trial)),
      paint[verdict](verdict),
      aside(trial, plain(milliseconds(outage?.networkMs))),
      aside(trial, hasNoEnd(trial) ? colors.red("never") : plain(milliseconds(outage?.stalls?.max))),
      survived < flows ? colors.red(alive) : alive,
      durations["totalMs"] === undefined ? "-" : plain(`${(durations["totalMs"] / 1000).toFixed(1)} s`),
    ]);
  }
  const legend = trials.some(isAside) ? [wrapped("(figures in brackets are in no distribution: the trial is invalid, or a flow never resumed)", width, 0)] : [];
  return [...linesOf(table), ...legend];
}

/** Whether a trial's outage is in no distribution. */
function isAside(trial: Trial): boolean {
  return trial.verdict === "invalid" || hasNoEnd(trial);
}

function aside(trial: Trial, text: string): string {
  return isAside(trial) && text !== "-" ? `(${text})` : text;
}

/** To the microsecond, so that no offset is rounded up to one beyond the spread. */
function offsetText({ offsetMs }: Trial): string {
  return `${offsetMs.toFixed(3)} ms`;
}

function milliseconds(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : `${Math.round(value)} ms`;
}

function histogram(trials: Trials, { width, colors }: Page): string[] {
  const { measured, withoutEnd } = outageBars(trials, width);
  return measured.length === 0 ? [] : [colors.bold("network's own outage, trials"), ...measured, ...withoutEnd.map((line) => colors.red(line)), ""];
}

function figures({ trials, planned, summary }: Trials, { fact, colors }: Page): string[] {
  const { counts, neverResumed, outageMs, longestStallMs, flowsSurvived, trialMs, costSlopeMsPerTrial } = summary;
  const valid = counts.pass + counts.fail;
  const told = (distribution: TrialDistribution | null, none: string) => (distribution === null ? none : `${distributionText(distribution)} over ${distribution.trials} of ${trials.length} trials`);
  return [
    fact("verdicts", `${planned} planned: ${counts.pass} passed, ${counts.fail} failed, ${counts.invalid} invalid${planned > trials.length ? `, ${planned - trials.length} not made` : ""}`),
    fact("outage", told(outageMs, "no valid trial tells the network's own")),
    fact("stall", told(longestStallMs, "no valid trial tells a longest one")),
    ...(neverResumed > 0 ? [colors.red(fact("no end", `in ${neverResumed} of ${valid} valid trials a flow never resumed; outage and stall are over the others`))] : []),
    fact("survived", `${flowsSurvived.survived} of ${flowsSurvived.of} flows in ${valid} valid trials`),
    fact("cost", told(trialMs, "no valid trial tells its own")),
    ...(costSlopeMsPerTrial === null ? [] : [fact("slope", `each trial took ${costSlopeMsPerTrial < 0 ? "" : "+"}${costSlopeMsPerTrial} ms against the one before, by least squares`)]),
  ];
}

function whyLines(trial: Trial, folder: string, { width, colors, paint }: Page): string[] {
  const { number, verdict, reason, bundle } = trial;
  return [
    `${paint[verdict](verdict)} ${colors.bold(`trial ${number}`)} (offset ${offsetText(trial)})`,
    `  why      ${wrapped(reason, width - 11, 11)}`,
    `  bundle   ${join(folder, bundle)}`,
    "",
  ];
}
