import Table from "cli-table3";
import type { AlterationOutcome, AlterationResult, Alterations, Catcher } from "../evidence/alterations.ts";
import { borderless, linesOf } from "./borderless.ts";
import { pageOf, type Page, type TerminalLook } from "./page.ts";
import { wrapped } from "./wrapped.ts";

const good: readonly AlterationOutcome[] = ["caught", "harmless", "passed"];
const bad: readonly AlterationOutcome[] = ["escaped", "harmful", "alarm"];

/**
 * Mutants and variants for people: a line each with what caught it and in which step, why each that is not as it must be is not, and the sums.
 * No line is wider than the terminal or 160 characters.
 * @param folder of `mutants.json`.
 */
export function renderAlterations(all: Alterations, folder: string, look: TerminalLook): string {
  const page = pageOf(look);
  const { colors, fact } = page;
  const { results, planned } = all;
  const count = (...outcomes: AlterationOutcome[]): number => results.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const mutants = results.filter(({ kind }) => kind === "mutant").length;
  const sums = [
    `${mutants} mutants: ${count("caught")} caught, ${count("escaped")} escaped, ${count("harmless")} harmless as argued, ${count("harmful")} harmful after all`,
    `${results.length - mutants} variants: ${count("passed")} passed, ${count("alarm")} false alarms`,
    ...(count("untried") > 0 ? [`${count("untried")} only a run can catch`] : []),
    ...(count("invalid") > 0 ? [`${count("invalid")} invalid`] : []),
    ...(planned > results.length ? [`${planned - results.length} not made`] : []),
  ];
  return [
    colors.bold(`fwlab mutants ${all.id}`),
    "",
    ...table(results, page),
    "",
    ...results.filter(({ outcome }) => !good.includes(outcome) && outcome !== "untried").flatMap((result) => whyLines(result, page)),
    fact("sums", sums.join("; ")),
    fact("mutants", folder),
  ].join("\n");
}

function table(results: readonly AlterationResult[], page: Page): string[] {
  if (results.length === 0) return ["none was tried"];
  const { width, colors } = page;
  const nameWidth = Math.min(Math.max(...results.map(({ name }) => name.length)) + 1, Math.floor(width * 0.28));
  const fixed = [nameWidth, 9, 10, 8, 8];
  const rest = width - fixed.reduce((sum, each) => sum + each, 0);
  const expectedWidth = Math.floor(rest / 2);
  const [name = 0, kind = 0, outcome = 0, step = 0, took = 0] = fixed;
  const drawn = new Table({
    head: ["name", "kind", "outcome", "step", "must be caught by", "got", "took"].map(colors.bold),
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 1 },
    colWidths: [name, kind, outcome, step, expectedWidth, rest - expectedWidth, took],
    wordWrap: true,
    wrapOnWordBoundary: true,
  });
  for (const result of results) {
    drawn.push([result.name, result.kind, painted(result.outcome, page), stepOf(result), textOf(result.expected), textOf(result.found), tookText(result)]);
  }
  return linesOf(drawn);
}

/** In which step it was caught: a finding needs no run. */
function stepOf({ caughtBy, found, outcome }: AlterationResult): string {
  const by = outcome === "alarm" || outcome === "harmful" ? found : caughtBy;
  const steps = [...new Set(by.map((each) => (each.by === "finding" ? "static" : "dynamic")))];
  return steps.length === 2 ? "both" : (steps[0] ?? "-");
}

function textOf(catchers: readonly Catcher[]): string {
  // Of the findings only their ids: checks are told apart, for they are the fewer.
  return catchers.length === 0 ? "-" : catchers.map(({ by, id }) => (by === "check" ? `check:${id}` : id)).join(" ");
}

function tookText({ durations: { staticMs, dynamicMs } }: AlterationResult): string {
  return staticMs === null ? "-" : `${((staticMs + (dynamicMs ?? 0)) / 1000).toFixed(1)} s`;
}

function painted(outcome: AlterationOutcome, { colors }: Page): string {
  return (good.includes(outcome) ? colors.green : bad.includes(outcome) ? colors.red : colors.yellow)(outcome);
}

function whyLines(result: AlterationResult, page: Page): string[] {
  const { name, kind, outcome, why, told, folder, expected, caughtBy } = result;
  const missed = expected.filter((each) => !caughtBy.includes(each));
  const row = (label: string, text: string): string => `  ${label.padEnd(8)} ${wrapped(text, page.width - 11, 11)}`;
  return [
    `${painted(outcome, page)} ${page.colors.bold(`${kind} ${name}`)}`,
    row("is", why),
    ...(missed.length > 0 && outcome === "escaped" ? [row("missed", textOf(missed))] : []),
    row("seen", told),
    ...(folder === null ? [] : [row("folder", folder)]),
    "",
  ];
}
