import { createHash } from "node:crypto";
import type { Location, Log, ReportingDescriptor, Result } from "sarif";
import type { Certainty, Finding, Severity } from "../evidence/finding.ts";
import type { Validation } from "../evidence/validation.ts";

/** SARIF 2.1.0, 3.27.10. */
const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = { error: "error", warning: "warning", hint: "note" };

/** GitHub's own properties of a rule. Source: docs.github.com, SARIF support for code scanning. */
const problemSeverities: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", hint: "recommendation" };
const precisions: Readonly<Record<Certainty, string>> = { certain: "very-high", likely: "high", possible: "medium" };

export interface SarifPlace {
  /** fwlab's version. */
  readonly version: string;
  /** Where a finding's file is, relative to the root of the repository that is scanned, with slashes. */
  readonly inRepository: (file: string) => string;
}

/**
 * A validation as SARIF 2.1.0, for code scanning: a result for each finding; failing checks that a finding explains are told with it, the others, which
 * no line is known for, as notifications of the tool. Source: OASIS SARIF 2.1.0; docs.github.com, SARIF support for code scanning.
 */
export function sarifOf({ findings, run, verdict, reason, id }: Validation, { version, inRepository }: SarifPlace): Log {
  const rules = [...new Map(findings.map((finding) => [finding.id, finding])).values()].map(ruleOf);
  const indexOf = new Map(rules.map((rule, index) => [rule.id, index]));
  const fingerprints = fingerprintsOf(findings);
  const uri = (file: string): string => inRepository(file).split("/").map(encodeURIComponent).join("/");
  const location = ({ file, line }: Pick<Finding, "file" | "line">): Location => ({
    // GitHub shows nothing without a line: a whole file is shown at its first.
    physicalLocation: { artifactLocation: { uri: uri(file), uriBaseId: "%SRCROOT%" }, region: { startLine: line ?? 1 } },
  });
  const results = findings.map((finding, index): Result => {
    const failed = run?.failing.filter(({ explainedBy }) => explainedBy[0] === index).map((check) => `${check.id} (${check.phase})`) ?? [];
    const told = [`${finding.wrong}.`, `It would cause: ${finding.causes}.`, `To do: ${finding.remedy}.`, ...(failed.length === 0 ? [] : [`It explains what failed in the run: ${failed.join(", ")}.`])];
    return {
      ruleId: finding.id,
      ruleIndex: indexOf.get(finding.id) ?? -1,
      level: levels[finding.severity],
      message: { text: told.join(" ").replaceAll("..", ".") },
      locations: [location(finding)],
      ...(finding.also.length > 0 && { relatedLocations: finding.also.map((also, number) => ({ id: number + 1, ...location(also), message: { text: "is about this place too" } })) }),
      partialFingerprints: { "fwlabFinding/v1": fingerprints[index] ?? "" },
      properties: { certainty: finding.certainty, machine: finding.machine, explains: finding.explains },
    };
  });
  const unexplained = run?.failing.filter(({ explainedBy }) => explainedBy.length === 0) ?? [];
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "fwlab", semanticVersion: version, rules } },
        automationDetails: { id: "fwlab/validate/" },
        columnKind: "utf16CodeUnits",
        results,
        invocations: [
          {
            executionSuccessful: verdict !== "invalid",
            toolExecutionNotifications: unexplained.map((check) => ({
              level: check.verdict === "fail" ? ("error" as const) : ("warning" as const),
              message: { text: `${check.id} (${check.phase}): ${check.verdict}; measured: ${check.measured}; allowed: ${check.allowed}; why: ${check.explanation}` },
              descriptor: { id: check.id },
            })),
            properties: { verdict, reason, validation: id },
          },
        ],
      },
    ],
  };
}

function ruleOf({ id, severity, certainty, causes, remedy }: Finding): ReportingDescriptor {
  const words = id.replaceAll("-", " ");
  return {
    id,
    name: words.replace(/(?:^| )(.)/gu, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: words },
    fullDescription: { text: causes },
    help: { text: `${causes}. ${remedy}`, markdown: `**Causes** ${causes}\n\n**Remedy** ${remedy}` },
    defaultConfiguration: { level: levels[severity] },
    properties: { tags: ["high-availability", "firewall"], precision: precisions[certainty], "problem.severity": problemSeverities[severity] },
  };
}

/** The same for the same finding when lines above it move; a second one of the same words is told apart by its number. */
function fingerprintsOf(findings: readonly Finding[]): string[] {
  const seen = new Map<string, number>();
  return findings.map(({ id, machine, file, wrong }) => {
    const key = createHash("sha256").update([id, machine, file, wrong].join("\0")).digest("hex");
    const number = (seen.get(key) ?? 0) + 1;
    seen.set(key, number);
    return `${key}:${number}`;
  });
}
