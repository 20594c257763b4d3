import type { Outage, Run } from "../../evidence/run.ts";
import type { Timeline } from "../../evidence/timeline.ts";
import type { Trials } from "../../evidence/trials.ts";
import { distributionText } from "../../judge/distribution.ts";
import { outageBars } from "../outageBars.ts";
import { markdownBlock, markdownTable, markdownText } from "./markdown.ts";

/** Where a reader finds what is summed up. */
export interface Places {
  /** Folder of the run or of the trials. */
  readonly folder: string;
  /** File of the report for people, when there is one. */
  readonly report?: string | undefined;
}

/** Most trials that are told one by one. */
const mostTrials = 20;
const plotWidth = 80;

/** A run as a job's summary, in GitHub's Markdown. */
export function runSummary(run: Run, places: Places): string {
  const notPassed = run.checks.filter(({ verdict }) => verdict !== "pass");
  return [
    ...head("run", run),
    ...markdownTable(
      ["check", "phase", "verdict", "measured", "allowed", "why", "evidence"],
      notPassed.map(({ id, phase, verdict, measured, allowed, explanation, evidence }) => [id, phase, verdict, measured, allowed, explanation, evidence.slice(0, 3).join(", ")]),
    ),
    ...(run.checks.length > 0 ? [`${run.checks.length - notPassed.length} of ${run.checks.length} checks pass.`, ""] : []),
    ...markdownTable(["outage", "network's own", "flows' stalls", "longest wait of idle flows", "never resumed", "survived"], run.outages.map(outageRow)),
    ...run.timelines.flatMap(timelineLines),
    ...ends(run, places),
  ].join("\n");
}

/** Trials as a job's summary, in GitHub's Markdown. */
export function trialsJobSummary(trials: Trials, places: Places): string {
  const { summary, planned } = trials;
  const told = (distribution: Trials["summary"]["outageMs"]) => (distribution === null ? "none told" : `${distributionText(distribution)} over ${distribution.trials} trials`);
  const notPassed = trials.trials.filter(({ verdict }) => verdict !== "pass");
  const bars = outageBars(trials, plotWidth);
  return [
    ...head("trials", trials),
    ...markdownTable(
      ["trials", "figures"],
      [
        ["verdicts", `${planned} planned: ${summary.counts.pass} passed, ${summary.counts.fail} failed, ${summary.counts.invalid} invalid, ${planned - trials.trials.length} not made`],
        ["network's own outage", told(summary.outageMs)],
        ["longest stall of a flow", told(summary.longestStallMs)],
        ["without end", `in ${summary.neverResumed} trials a flow never resumed`],
        ["flows", `${summary.flowsSurvived.survived} of ${summary.flowsSurvived.of} survived`],
        ["strikes", `spread over ${trials.spreadMs} ms with seed ${trials.seed}`],
      ],
    ),
    ...(bars.measured.length > 0 ? ["Network's own outage:", "", ...markdownBlock([...bars.measured, ...bars.withoutEnd])] : []),
    ...markdownTable(
      ["trial", "verdict", "failed checks", "why", "bundle"],
      notPassed.slice(0, mostTrials).map(({ number, verdict, failedChecks, reason, bundle }) => [String(number), verdict, failedChecks.join(", "), reason, bundle]),
    ),
    ...(notPassed.length > mostTrials ? [`and ${notPassed.length - mostTrials} more that did not pass.`, ""] : []),
    ...ends(trials, places),
  ].join("\n");
}

function head(what: string, { id, verdict, reason, topology, config, fault, host }: Pick<Run, "id" | "verdict" | "reason" | "topology" | "config" | "host"> & { readonly fault: { readonly id: string; readonly target: string } }): string[] {
  return [
    `### ${verdict.toUpperCase()}: fwlab ${what} ${markdownText(id)}`,
    "",
    `**Why:** ${markdownText(reason)}`,
    "",
    ...markdownTable(
      ["ground", ""],
      [
        ["topology", topology],
        ["config", `${[config.path, ...config.overlays].join(" + ")} (sha256 ${config.sha256.slice(0, 12)})`],
        ["fault", `${fault.id} of ${fault.target}`],
        ["machines", `${host.accelerator}, ${host.cores} cores, QEMU ${host.qemu}, guest kernel ${host.guestKernel}`],
      ],
    ),
  ];
}

function outageRow({ phase, networkMs, stalls, longestIdleWaitMs, neverResumed, survived, flows }: Outage): string[] {
  const unended = neverResumed.length === 0 ? "none" : `${neverResumed.length}: ${neverResumed.slice(0, 3).join(", ")}${neverResumed.length > 3 ? " ..." : ""}`;
  return [phase, milliseconds(networkMs), stalls === null ? "-" : distributionText(stalls), milliseconds(longestIdleWaitMs), unended, `${survived} of ${flows}`];
}

/** The first of each step, as one row a step. */
function timelineLines({ phase, from, to, faultAtMs, moments, firewallMs, window }: Timeline): string[] {
  const rows = moments.map(({ step, subject, atMs, errorMs, detail }) => [step, subject, atMs === null ? "not seen" : `${signed(atMs - faultAtMs)}${errorMs > 0 ? ` ± ${errorMs.toFixed(1)}` : ""} ms`, detail]);
  return [
    `**${phase}**, ${markdownText(from)} to ${markdownText(to)}: the firewall's part of the outage ${firewallMs === null ? "cannot be told" : milliseconds(firewallMs)}${window === null ? "" : `; without states for ${window.lengthMs.toFixed(1)} ms`}`,
    "",
    ...markdownTable(["moment", "where", "after the fault", "seen"], rows),
  ];
}

function ends({ command }: { readonly command?: string | undefined }, { folder, report }: Places): string[] {
  const facts = [...(report === undefined ? [] : [["report", report]]), ["bundle", folder], ...(command === undefined ? [] : [["again", command]])];
  return markdownTable(["evidence", ""], facts);
}

function milliseconds(value: number | null): string {
  return value === null ? "-" : `${Math.round(value)} ms`;
}

function signed(value: number): string {
  return `${value < 0 ? "" : "+"}${value.toFixed(1)}`;
}
