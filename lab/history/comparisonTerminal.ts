import Table from "cli-table3";
import { borderless, linesOf } from "../report/borderless.ts";
import { pageOf, type Page, type TerminalLook } from "../report/page.ts";
import { pText } from "./compare.ts";
import type { Changed, Comparison, MetricChange, SubjectSummary } from "./comparison.ts";
import { shiftText, valueText } from "./metricText.ts";

/** A comparison for people: what changed beside the pair's own doing first, then each metric, the checks, and what follows. */
export function renderComparison(comparison: Comparison, look: TerminalLook): string {
  const page = pageOf(look);
  const { colors, fact } = page;
  const { base, new: next, changed, metrics, checks, regression, reason, topology, fault } = comparison;
  return [
    colors.bold(`fwlab compare ${base.name} with ${next.name}`),
    fact("topology", `${topology}, ${fault.id} of ${fault.target}`),
    fact("base", subjectText(base)),
    fact("new", subjectText(next)),
    ...(changed.length === 0 ? [fact("changed", "nothing but the time: same config, kernel, QEMU, accelerator, cores and flows")] : changed.map((each) => colors.yellow(fact("changed", changedText(each))))),
    "",
    ...metricTable(metrics, page),
    "",
    ...checks.map(({ id, verdict, why }) => fact("check", `${id}: ${paint(page, verdict)}; ${why}`)),
    fact("verdict", colors.bold(regression ? colors.red("REGRESSION") : colors.green("NO REGRESSION"))),
    fact("reason", reason),
  ].join("\n");
}

function subjectText({ ids, counts, survived }: SubjectSummary): string {
  const named = ids.length > 3 ? `${ids.slice(0, 2).join(", ")} and ${ids.length - 2} more` : ids.join(", ");
  return `${named}: ${counts.pass} passed, ${counts.fail} failed, ${counts.invalid} invalid; ${survived.survived} of ${survived.of} flows survived`;
}

function changedText({ what, base, new: next, confounds, files }: Changed): string {
  const told = `${what}: ${base} -> ${next}`;
  const differ = files === undefined ? "" : `; ${files.length} files differ: ${files.slice(0, 6).join(", ")}${files.length > 6 ? ` and ${files.length - 6} more` : ""}`;
  const meaning = confounds || what === "host-noise" ? `; times${confounds ? "" : " that got worse by no more"} are not to be blamed on the pair` : what === "config" ? "" : "; a shift may be its doing";
  return `${told}${differ}${meaning}`;
}

function paint({ colors }: Page, verdict: MetricChange["verdict"]): string {
  const painted = { worse: colors.red, better: colors.green, unchanged: (text: string) => text, "cannot-be-told": colors.yellow };
  return painted[verdict](verdict.replaceAll("-", " "));
}

/** From this width on, effect and p have columns of their own. */
const wide = 90;

function metricTable(metrics: readonly MetricChange[], page: Page): string[] {
  if (metrics.length === 0) return ["no figure was measured on either side"];
  const { colors, width } = page;
  const roomy = width >= wide;
  const head = ["metric", "n", "base", "new", "shift", ...(roomy ? ["%", "effect", "p"] : []), "verdict"];
  const table = new Table({
    head: head.map(colors.bold),
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": roomy ? 2 : 1 },
    colAligns: head.map((name) => (name === "metric" || name === "verdict" ? "left" : "right")),
  });
  const percent = (value: number | null) => (value === null ? "-" : `${value > 0 ? "+" : ""}${value.toFixed(0)}`);
  for (const { metric, name, base, new: next, shift, shiftPercent, effect, adjustedP, verdict, why } of metrics) {
    const median = (value: number | null) => (value === null ? "-" : valueText(metric, value));
    table.push([
      name,
      `${base.n}/${next.n}`,
      median(base.median),
      median(next.median),
      shift === null ? "-" : shiftText(metric, shift),
      ...(roomy ? [percent(shiftPercent), effect?.toFixed(2) ?? "-", adjustedP === null ? "-" : pText(adjustedP)] : []),
      paint(page, verdict),
    ]);
    if (verdict === "cannot-be-told") table.push([{ content: `  ${why}`, colSpan: head.length }]);
  }
  return linesOf(table);
}
