import Table from "cli-table3";
import type { CheckResult, Run } from "../evidence/run.ts";
import type { Stretch } from "../evidence/sandwichFigures.ts";
import { borderless, linesOf } from "./borderless.ts";
import { flowLines } from "./flowTable.ts";
import { groundFacts, pageOf, type Page, type TerminalLook } from "./page.ts";
import { wrapped } from "./wrapped.ts";

/** How a stream shows: its width (100 when it is no terminal), and colours unless NO_COLOR is set or it is no terminal. Source: no-color.org. */
export function lookOf(stream: { readonly isTTY?: boolean; readonly columns?: number }, environment: Readonly<Record<string, string | undefined>>): TerminalLook {
  const silenced = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  return { columns: stream.isTTY === true ? (stream.columns ?? 100) : 100, color: stream.isTTY === true && !silenced };
}

/**
 * The end of a run for people: what was run, the flows, the checks with measured and allowed, the verdict, and where the evidence is.
 * No line is wider than the terminal or 160 characters, except for a path that cannot be broken.
 */
export function renderRun(run: Run, bundleFolder: string, look: TerminalLook): string {
  const page = pageOf(look);
  const { width, colors, fact, verdictFact } = page;
  const durations = Object.entries(run.durations).map(([name, value]) => `${name.replace(/Ms$/u, "")} ${(value / 1000).toFixed(1)} s`);
  return [
    colors.bold(`fwlab run ${run.id}`),
    ...groundFacts(run, page),
    fact("fault", `${run.fault.id} of ${run.fault.target}${run.fault.atMs === null ? ", which did not happen" : ` at ${new Date(run.fault.atMs).toISOString()}`}`),
    ...(durations.length > 0 ? [fact("took", durations.join(", "))] : []),
    "",
    ...flowLines(run.flows, width, colors),
    "",
    ...stretchLines(run.stretches ?? [], page),
    ...checkLines(run.checks, page),
    verdictFact(run.verdict),
    fact("reason", run.reason),
    fact("bundle", bundleFolder),
  ].join("\n");
}

/** A sandwich's load, stretch by stretch, and how many of its connections went by which firewall. */
function stretchLines(stretches: readonly Stretch[], { colors: { bold } }: Page): string[] {
  if (stretches.length === 0) return [];
  const firewalls = [...new Set(stretches.flatMap(({ carried }) => Object.keys(carried)))];
  const head = ["load", "lasted", "requests", "a second", "failed", "median", "p99", ...firewalls.map((name) => `by ${name}`)];
  const table = new Table({ head: head.map(bold), chars: borderless, style: { head: [], border: [], "padding-left": 0, "padding-right": 2 }, colAligns: head.map((_, index) => (index === 0 ? "left" : "right")) });
  const time = (value: number | null) => (value === null ? "-" : `${value} ms`);
  for (const { name, fromMs, untilMs, requests, perSecond, failed, p50Ms, p99Ms, carried } of stretches) {
    table.push([name, `${((untilMs - fromMs) / 1000).toFixed(1)} s`, requests, perSecond.toFixed(1), failed, time(p50Ms), time(p99Ms), ...firewalls.map((firewall) => carried[firewall]?.connections ?? 0)]);
  }
  return [...linesOf(table), ""];
}

function checkLines(checks: readonly CheckResult[], { width, paint, colors: { bold } }: Page): string[] {
  if (checks.length === 0) return ["no check was made", ""];
  const idWidth = Math.max(...checks.map(({ id }) => id.length)) + 1;
  const fixed = [idWidth, 9, 8];
  const rest = width - fixed.reduce((sum, each) => sum + each, 0);
  const measured = Math.ceil(rest * 0.55);
  const table = new Table({
    head: ["check", "phase", "verdict", "measured", "allowed"].map(bold),
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 1 },
    colWidths: [...fixed, measured, rest - measured],
    wordWrap: true,
  });
  for (const check of checks) table.push([check.id, check.phase, paint[check.verdict](check.verdict), check.measured, check.allowed]);
  const why = checks
    .filter(({ verdict }) => verdict !== "pass")
    .flatMap((check) => [
      `${paint[check.verdict](check.verdict)} ${bold(check.id)} (${check.phase})`,
      `  why      ${wrapped(check.explanation, width - 11, 11)}`,
      `  evidence ${wrapped(shortened(check.evidence), width - 11, 11)}`,
    ]);
  return [...linesOf(table), "", ...(why.length > 0 ? [...why, ""] : [])];
}

function shortened(evidence: readonly string[]): string {
  return evidence.slice(0, 6).join(", ") + (evidence.length > 6 ? ` and ${evidence.length - 6} more` : "");
}
