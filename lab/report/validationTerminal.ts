import { severities, type Finding, type Severity } from "../evidence/finding.ts";
import type { FailingCheck, Validation } from "../evidence/validation.ts";
import { pageOf, type Page, type TerminalLook } from "./page.ts";
import { wrapped } from "./wrapped.ts";

/** How sure a finding is, in words that stand beside it. */
const sureness: Readonly<Record<Finding["certainty"], string>> = {
  certain: "certain: it follows from the files",
  likely: "likely: it needs something usual of the network",
  possible: "possible: it needs something unusual of the network",
};

const headings: Readonly<Record<Severity, string>> = {
  error: "the pair does not do its duty",
  warning: "it may fail to",
  hint: "worth knowing, and no fault",
};

/**
 * A validation for people: verdict and reason first, the findings by severity, the failing checks with the finding that explains each, times.
 * No line is wider than the terminal or 160 characters, except for a path that cannot be broken.
 * @param folder of `validation.json`.
 */
export function renderValidation(validation: Validation, folder: string, look: TerminalLook): string {
  const page = pageOf(look);
  const { colors, fact, verdictFact } = page;
  const { id, config, promises, verdict, reason, findings, run, durations } = validation;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return [
    colors.bold(`fwlab validate ${id}`),
    fact("tree", `${config.path}${config.base === null ? "" : ` over ${config.base}`}${config.policy === null ? "" : `, policy compiled from ${config.policy}`} (sha256 ${config.sha256.slice(0, 12)})`),
    fact("topology", promises.topology),
    verdictFact(verdict),
    fact("reason", reason),
    "",
    ...severities.flatMap((severity) => group(severity, findings, page)),
    ...(findings.length === 0 ? ["nothing was found in the files", ""] : []),
    ...(run === null ? [] : run.failing.flatMap((check) => failingLines(check, findings, page))),
    fact("run", run === null ? "none: only the files were looked at" : `${run.verdict}: ${run.reason}`),
    fact("took", `static ${seconds(durations.staticMs)}, ${durations.dynamicMs === null ? "no failover" : `failover and failback ${seconds(durations.dynamicMs)}`}, total ${seconds(durations.totalMs)}`),
    fact(run === null ? "result" : "bundle", folder),
  ].join("\n");
}

function painted(severity: Severity, { colors }: Page): (text: string) => string {
  return severity === "error" ? colors.red : severity === "warning" ? colors.yellow : colors.cyan;
}

function group(severity: Severity, all: readonly Finding[], page: Page): string[] {
  const findings = all.filter((finding) => finding.severity === severity);
  if (findings.length === 0) return [];
  const { colors } = page;
  const name = `${findings.length} ${severity}${findings.length === 1 ? "" : "s"}`;
  return [`${colors.bold(painted(severity, page)(name))}: ${headings[severity]}`, ...findings.flatMap((finding) => findingLines(finding, page)), ""];
}

function findingLines(finding: Finding, { width, colors }: Page): string[] {
  const { id, certainty, file, line, wrong, causes, remedy, also } = finding;
  const row = (name: string, text: string): string => `    ${colors.dim(name.padEnd(7))} ${wrapped(harmless(text), width - 12, 12)}`;
  return [
    `  ${colors.bold(placeText({ file, line }))}  ${colors.dim(id)}`,
    row("wrong", wrong),
    row("causes", causes),
    row("remedy", remedy),
    ...(also.length === 0 ? [] : [row("see", also.map(placeText).join(", "))]),
    row("sure", sureness[certainty]),
  ];
}

function failingLines({ id, phase, verdict, measured, allowed, explanation, explainedBy }: FailingCheck, findings: readonly Finding[], { width, colors, paint }: Page): string[] {
  const row = (name: string, text: string): string => `    ${colors.dim(name.padEnd(8))} ${wrapped(harmless(text), width - 13, 13)}`;
  const causes = explainedBy.flatMap((index) => findings[index] ?? []);
  return [
    `${paint[verdict](verdict)} ${colors.bold(id)} (${phase})`,
    row("measured", measured),
    row("allowed", allowed),
    row("why", explanation),
    ...(causes.length === 0 ? [row("finding", "none: the files do not tell why; the bundle's report does")] : causes.slice(0, 2).map((finding) => row("finding", `${placeText(finding)}: ${finding.wrong} (${finding.id})`))),
    "",
  ];
}

/** Lines of a tree's files are quoted in findings: what is in them must not steer the terminal. */
function harmless(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

/** `fw-1/etc/nftables.conf:12`, or the file alone. */
export function placeText({ file, line }: Pick<Finding, "file" | "line">): string {
  return line === null ? file : `${file}:${line}`;
}
