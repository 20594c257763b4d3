import { Command } from "commander";
import { exitCode, type ExitCode } from "../lab/failure/failure.ts";
import { compare } from "../lab/history/compare.ts";
import { comparisonSchema, type Comparison } from "../lab/history/comparison.ts";
import { renderComparison } from "../lab/history/comparisonTerminal.ts";
import type { Subject } from "../lab/history/pooled.ts";
import { subjectOf } from "../lab/history/subject.ts";
import { lookOf } from "../lab/report/terminal.ts";
import { differingConfigFiles } from "../lab/run/configDifference.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { callersFolder } from "../lab/run/portablePath.ts";

/** `fwlab compare`: what got worse from one to the other. */
export function compareCommand(): Command {
  return new Command("compare")
    .description("say what got worse, better or stayed between two runs, trials, baselines, or folders with several")
    .argument("<base>", "baseline, id in the history, or folder")
    .argument("<new>", "the same")
    .option("--json", "print the comparison as JSON (docs/comparison.schema.json)", false)
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab compare fixtures/bundles/pass fixtures/bundles/no-conntrackd")
    .action(async (base: string, next: string, { json }: { readonly json: boolean }) => {
      const place = { runsFolder, from: callersFolder() };
      const comparison = await comparisonOf(await subjectOf(base, place), await subjectOf(next, place));
      console.log(json ? JSON.stringify(comparisonSchema.parse(comparison), undefined, 2) : renderComparison(comparison, lookOf(process.stdout, process.env)));
      process.exitCode = exitCodeOfComparison(comparison);
    });
}

/** Compares, and looks which files of the config differ. @throws Failure (usage) for two that cannot be compared. */
export function comparisonOf(base: Subject, next: Subject): Promise<Comparison> {
  return compare(base, next, (before, now) => differingConfigFiles(before, now, runsFolder));
}

/** 1 for a regression, else 0. */
export function exitCodeOfComparison({ regression }: Comparison): ExitCode {
  return regression ? exitCode.fail : exitCode.pass;
}
