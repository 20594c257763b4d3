import { randomInt } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Command, Option } from "commander";
import type { FaultRecord } from "../lab/evidence/evidence.ts";
import { promisesOf } from "../lab/config/promises.ts";
import type { ExitCode } from "../lab/failure/failure.ts";
import { powerCut } from "../lab/faults/powerCut.ts";
import { entryOfTrials } from "../lab/history/entryOf.ts";
import type { Subject } from "../lab/history/pooled.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import type { Machine } from "../lab/machine/machine.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { trialsAnnotations } from "../lab/report/ci/annotation.ts";
import { trialsJobSummary } from "../lab/report/ci/summary.ts";
import { tellCi } from "../lab/report/ci/tellCi.ts";
import { lookOf } from "../lab/report/terminal.ts";
import { renderTrials } from "../lab/report/trialsTerminal.ts";
import { exitCodeOf } from "../lab/run/judgedRun.ts";
import { portablePath } from "../lab/run/portablePath.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { topologyOf } from "../lab/run/topologyOf.ts";
import { conductTrials } from "../lab/run/trials.ts";
import { promisedFlows, type FlowCounts } from "../lab/traffic/flowSpec.ts";
import { afterwards, baselineOf } from "./afterwards.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";
import { labVerbOptions } from "./labOptions.ts";
import { repeatCommand } from "./repeatCommand.ts";
import { reportLine } from "./reportLine.ts";
import { writtenReport } from "./writtenReport.ts";
import { reportFailure } from "./reportFailure.ts";
import { parseSeed, parseSpread, parseTrialCount, trialFaults, type TrialFault, type TrialsOptions } from "./trialsOptions.ts";

const strikes: Readonly<Record<TrialFault, (machine: Machine) => Promise<FaultRecord>>> = { "power-cut": powerCut };

const defaultCount = 20;
/** The reference trees' interval between two adverts. */
const defaultSpreadMs = 1_000;

/** `fwlab trials`: the same failover again and again, and how its outages are spread. */
export function trialsCommand(): Command {
  const command = new Command("trials").description("save a lab with live flows, restore it again and again, strike at set moments, and report how the outages are spread");
  for (const option of labVerbOptions({ resultFile: "trials.json" })) command.addOption(option);
  return command
    .addOption(new Option("--n <count>", "how many trials").argParser(parseTrialCount).default(defaultCount))
    .addOption(new Option("--fault <id>", "what strikes the active firewall").choices(trialFaults).default(trialFaults[0]))
    .addOption(new Option("--spread <ms>", "the strikes are spread over so many milliseconds").argParser(parseSpread).default(defaultSpreadMs))
    .addOption(new Option("--seed <number>", "the same seed gives the same moments; without one, it is chosen and told").argParser(parseSeed))
    .allowExcessArguments(false)
    .action(async (options: TrialsOptions) => {
      const { seed = randomInt(2 ** 32) } = options;
      const flows = promisedFlows(options.flows, (await promisesOf(options.config)).flows);
      const baseline = await baselineOf(options.baseline);
      process.exitCode = isFirstInside() ? await inside({ ...options, flows, seed }, repeatCommand(["run", "trials"], command, { flows, seed }), baseline) : await enterAgain();
    });
}

type SeededOptions = TrialsOptions & { readonly flows: FlowCounts; readonly seed: number };

async function inside(
  { n, fault, config, control, flows, spread, seed, json, accel, pcap, cold, verbose }: SeededOptions,
  command: string,
  baseline: Subject | undefined,
): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress(process.stdout, { verbose });
  await prepareNamespaces(signal);
  const topology = await topologyOf(config);
  const { trials, folder, interrupted } = await conductTrials({
    topology,
    config,
    fault: { id: fault, target: topology.active },
    strike: strikes[fault],
    flows,
    count: n,
    spreadMs: spread,
    seed,
    accelerator: accel,
    command,
    capture: pcap,
    cold,
    runsFolder,
    progress,
    signal,
    ...(control !== undefined && { control }),
  });
  progress[Symbol.dispose]();
  if (interrupted !== undefined) reportFailure(interrupted);
  console.log(renderTrials(trials, folder, lookOf(process.stdout, process.env)));
  const told = portablePath(folder);
  if (json !== undefined) await copyFile(join(folder, "trials.json"), json);
  const report = await writtenReport(folder);
  await tellCi({ markdown: trialsJobSummary(trials, { folder: told, report: portablePath(report) }), annotations: trialsAnnotations(trials, told) }, { environment: process.env, write: (line) => console.log(line) });
  const place = { folder: relative(runsFolder, folder), begunAt: new Date(), project: dirname(runsFolder) };
  const code = await afterwards(entryOfTrials(trials, place), exitCodeOf(trials.verdict), baseline);
  console.log(reportLine(report));
  return code;
}
