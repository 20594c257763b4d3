import type { HistoryEntry } from "../lab/evidence/history.ts";
import { exitCode, type ExitCode } from "../lab/failure/failure.ts";
import { renderComparison } from "../lab/history/comparisonTerminal.ts";
import { appendHistory } from "../lab/history/historyFile.ts";
import { pooled, type Subject } from "../lab/history/pooled.ts";
import { subjectOf } from "../lab/history/subject.ts";
import { lookOf } from "../lab/report/terminal.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { comparisonOf, exitCodeOfComparison } from "./compare.ts";
import { reportFailure } from "./reportFailure.ts";
import { callersFolder } from "../lab/run/portablePath.ts";

/** What `--baseline` names, before anything is booted for it. @throws Failure (usage) when it names nothing. */
export async function baselineOf(name: string | undefined): Promise<Subject | undefined> {
  return name === undefined ? undefined : await subjectOf(name, { runsFolder, from: callersFolder() });
}

/**
 * What follows a verdict: the run's line in the history, and the comparison with a baseline, if one was named.
 * @returns the verdict's own exit code unless it is 0; else that of the comparison, or of what could not be written.
 */
export async function afterwards(entry: HistoryEntry, verdictsExit: ExitCode, baseline: Subject | undefined): Promise<ExitCode> {
  const record = async (): Promise<ExitCode> => {
    await appendHistory(runsFolder, entry);
    const { writeIndex } = await import("../lab/history/writeIndex.ts");
    await writeIndex(runsFolder);
    return exitCode.pass;
  };
  const compared = async (): Promise<ExitCode> => {
    if (baseline === undefined) return exitCode.pass;
    const comparison = await comparisonOf(baseline, pooled(entry.id, [entry]));
    console.log(`\n${renderComparison(comparison, lookOf(process.stdout, process.env))}`);
    return exitCodeOfComparison(comparison);
  };
  const exits = [verdictsExit];
  // The verdict stands, and was told; that one of these fails keeps the other from nothing.
  for (const step of [record, compared]) exits.push(await step().catch(reportFailure));
  return exits.find((exit) => exit !== exitCode.pass) ?? exitCode.pass;
}
