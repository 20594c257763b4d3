import { copyFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { ExitCode } from "../lab/failure/failure.ts";
import { entryOfRun } from "../lab/history/entryOf.ts";
import type { Subject } from "../lab/history/pooled.ts";
import { runAnnotations } from "../lab/report/ci/annotation.ts";
import { runSummary } from "../lab/report/ci/summary.ts";
import { tellCi } from "../lab/report/ci/tellCi.ts";
import { lookOf, renderRun } from "../lab/report/terminal.ts";
import { exitCodeOf, type FinishedRun } from "../lab/run/judgedRun.ts";
import { portablePath } from "../lab/run/portablePath.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { afterwards } from "./afterwards.ts";
import { reportFailure } from "./reportFailure.ts";
import { reportLine } from "./reportLine.ts";
import { writtenReport } from "./writtenReport.ts";

export interface TellRunOptions {
  readonly json?: string;
  readonly verbose: boolean;
  /** What the result is compared with. */
  readonly baseline?: Subject | undefined;
}

/** Tells a run that has come to its end, on the terminal, as a report, to CI and in the history. @returns the exit code, as of `afterwards`. */
export async function tellRun({ run, bundle, interrupted }: FinishedRun, { json, verbose, baseline }: TellRunOptions): Promise<ExitCode> {
  if (interrupted !== undefined) reportFailure(interrupted);
  console.log(renderRun(run, bundle, lookOf(process.stdout, process.env)));
  const told = portablePath(bundle);
  if (json !== undefined) await copyFile(join(bundle, "run.json"), json);
  if (verbose) console.log(`config tree: ${run.config.path}, sha256 ${run.config.sha256}`);
  const report = await writtenReport(bundle);
  await tellCi({ markdown: runSummary(run, { folder: told, report: portablePath(report) }), annotations: runAnnotations(run, told) }, { environment: process.env, write: (line) => console.log(line) });
  const place = { folder: relative(runsFolder, bundle), begunAt: new Date(), project: dirname(runsFolder) };
  const code = await afterwards(entryOfRun(run, place), exitCodeOf(run.verdict), baseline);
  console.log(reportLine(report));
  return code;
}
