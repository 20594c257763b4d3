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
import { conductSandwichTrials } from "../lab/run/sandwichTrials.ts";
import { conductTrials } from "../lab/run/trials.ts";
import { promisedFlows, type FlowCounts } from "../lab/traffic/flowSpec.ts";
import { afterwards, baselineOf } from "./afterwards.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";
import { labVerbOptions } from "./labOptions.ts";
import { repeatCommand } from "./repeatCommand.ts";
import { reportLine } from "./reportLine.ts";
import { parseClients, sandwichFlowCount, startLoad, topologyNames, treesFor, type SandwichTrees, type TopologyName } from "./startSandwich.ts";
import { writtenReport } from "./writtenReport.ts";
import { reportFailure } from "./reportFailure.ts";
import { parseSeed, parseSpread, parseTrialCount, trialFaults, type TrialFault, type TrialsOptions } from "./trialsOptions.ts";

const strikes: Readonly<Record<TrialFault, (machine: Machine) => Promise<FaultRecord>>> = { "power-cut": powerCut };

const defaultCount = 20;
/** The reference trees' interval between two adverts. */
const defaultSpreadMs = 1_000;

/** The options of `fwlab trials`, of a pair or a sandwich. */
interface AllTrialsOptions extends TrialsOptions {
  readonly topology?: TopologyName;
  /** Of a sandwich: connections that its load holds open. */
  readonly clients: number;
}

/** `fwlab trials`: the same failover again and again, and how its outages are spread. */
export function trialsCommand(): Command {
  const command = new Command("trials").description("save a lab with live flows, restore it again and again, strike at set moments, and report how the outages are spread");
  for (const option of labVerbOptions({ resultFile: "trials.json" })) command.addOption(option);
  return command
    .addOption(new Option("--n <count>", "how many trials").argParser(parseTrialCount).default(defaultCount))
    .addOption(new Option("--fault <id>", "what strikes the active firewall").choices(trialFaults).default(trialFaults[0]))
    .addOption(new Option("--spread <ms>", "the strikes are spread over so many milliseconds").argParser(parseSpread).default(defaultSpreadMs))
    .addOption(new Option("--seed <number>", "the same seed gives the same moments; without one, it is chosen and told").argParser(parseSeed))
    .addOption(new Option("--topology <name>", "the topology; that of the config tree unless given. Of a sandwich, whose trials open their flows and load anew, the config tree is as for start").choices(topologyNames))
    .addOption(new Option("--clients <count>", "of a sandwich: connections that its load holds open").argParser(parseClients).default(1_000))
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab trials --n 5 --seed 1")
    .action(async (options: AllTrialsOptions) => {
      const { seed = randomInt(2 ** 32) } = options;
      const trees = await treesFor(options.topology, command.getOptionValueSource("config") === "default" ? undefined : options.config);
      if (trees !== undefined) {
        if (options.control !== undefined) command.error(`error: --control ${options.control} is of a primary/backup pair, and breaks no sandwich`);
        const tcp = sandwichFlowCount(command.getOptionValueSource("flows") === "default" ? undefined : options.flows);
        const flows = { tcp, udp: 0, ssh: 0 };
        const baseline = await baselineOf(options.baseline);
        const repeat = repeatCommand(["run", "trials"], command, { flows: tcp, seed, config: trees.tree });
        process.exitCode = isFirstInside() ? await inside({ ...options, flows, seed }, repeat, baseline, trees) : await enterAgain();
        return;
      }
      const flows = promisedFlows(options.flows, (await promisesOf(options.config)).flows);
      const baseline = await baselineOf(options.baseline);
      process.exitCode = isFirstInside() ? await inside({ ...options, flows, seed }, repeatCommand(["run", "trials"], command, { flows, seed }), baseline) : await enterAgain();
    });
}

type SeededOptions = AllTrialsOptions & { readonly flows: FlowCounts; readonly seed: number };

async function inside(
  { n, fault, config, control, flows, clients, spread, seed, json, accel, pcap, cold, verbose }: SeededOptions,
  command: string,
  baseline: Subject | undefined,
  trees?: SandwichTrees,
): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress(process.stdout, { verbose });
  await prepareNamespaces(signal);
  const series = { ...{ strike: strikes[fault], flows, count: n, spreadMs: spread, seed }, ...{ accelerator: accel, command, capture: pcap, cold, runsFolder, progress, signal } };
  const ofPair = async () => {
    const topology = await topologyOf(config);
    return conductTrials({ ...series, topology, config, fault: { id: fault, target: topology.active }, ...(control !== undefined && { control }) });
  };
  const { trials, folder, interrupted } = trees === undefined ? await ofPair() : await conductSandwichTrials({ ...series, ...trees, load: startLoad(clients) });
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
