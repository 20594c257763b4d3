import type { Validation } from "../../evidence/validation.ts";
import { placeText } from "../validationTerminal.ts";
import { markdownTable, markdownText } from "./markdown.ts";

/** A validation as a job's summary, in GitHub's Markdown. @param folder of `validation.json`, as a reader finds it. */
export function validationSummary({ id, verdict, reason, config, findings, run }: Validation, folder: string): string {
  return [
    `## fwlab validate: ${verdict}`,
    "",
    markdownText(reason),
    "",
    ...markdownTable(["tree", "base"], [[config.path, config.base ?? "none"]]),
    ...markdownTable(
      ["severity", "sure", "place", "wrong", "causes", "remedy"],
      findings.map((finding) => [finding.severity, finding.certainty, placeText(finding), finding.wrong, finding.causes, finding.remedy]),
    ),
    ...markdownTable(
      ["check", "phase", "verdict", "measured", "allowed", "explained by"],
      (run?.failing ?? []).map(({ id: check, phase, verdict: its, measured, allowed, explainedBy }) => [
        check,
        phase,
        its,
        measured,
        allowed,
        explainedBy.flatMap((index) => findings[index] ?? []).map((finding) => `${placeText(finding)}: ${finding.wrong}`)[0] ?? "no finding",
      ]),
    ),
    `Validation ${markdownText(id)}; ${markdownText(folder)}`,
    "",
  ].join("\n");
}
