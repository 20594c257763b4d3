import { copyFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Command } from "commander";
import { promisesOf } from "../lab/config/promises.ts";
import type { ExitCode } from "../lab/failure/failure.ts";
import { entryOfRun } from "../lab/history/entryOf.ts";
import type { Subject } from "../lab/history/pooled.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { clientKeyFile } from "../lab/image/keys.ts";
import { controlPort } from "../lab/machine/machineFiles.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { runAnnotations } from "../lab/report/ci/annotation.ts";
import { runSummary } from "../lab/report/ci/summary.ts";
import { tellCi } from "../lab/report/ci/tellCi.ts";
import { lookOf, renderRun } from "../lab/report/terminal.ts";
import { conduct } from "../lab/run/conduct.ts";
import { exitCodeOf } from "../lab/run/judgedRun.ts";
import { portablePath } from "../lab/run/portablePath.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { powerCutStory } from "../lab/run/powerCutStory.ts";
import { topologyOf } from "../lab/run/topologyOf.ts";
import { managementAddressOf, type Topology } from "../lab/topology/topology.ts";
import { promisedFlows, type FlowCounts } from "../lab/traffic/flowSpec.ts";
import { afterwards, baselineOf } from "./afterwards.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";
import { labVerbOptions, type LabVerbOptions } from "./labOptions.ts";
import { repeatCommand } from "./repeatCommand.ts";
import { reportLine } from "./reportLine.ts";
import { writtenReport } from "./writtenReport.ts";
import { reportFailure } from "./reportFailure.ts";

/** The options of `fwlab start`. */
interface StartOptions extends LabVerbOptions {
  readonly keep: boolean;
}

/** `fwlab start`: one failover, judged. */
export function startCommand(): Command {
  const command = new Command("start").description("boot the four machines, cut the power of fw-1 under live flows, judge the failover and the failback");
  for (const option of labVerbOptions({ resultFile: "run.json" })) command.addOption(option);
  return command
    .option("--keep", "leave the lab up until Ctrl-C", false)
    .allowExcessArguments(false)
    .action(async (options: StartOptions) => {
      const flows = promisedFlows(options.flows, (await promisesOf(options.config)).flows);
      const baseline = await baselineOf(options.baseline);
      process.exitCode = isFirstInside() ? await inside({ ...options, flows }, repeatCommand(["start"], command, { flows }), baseline) : await enterAgain();
    });
}

type MixedOptions = StartOptions & { readonly flows: FlowCounts };

/** The inner half: this process is the first of the lab's namespaces, and they end with it. */
async function inside({ json, flows, control, accel, config, pcap, cold, keep, verbose }: MixedOptions, command: string, baseline: Subject | undefined): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress(process.stdout, { verbose });
  await prepareNamespaces(signal);
  const topology = await topologyOf(config);
  const { run, bundle, interrupted } = await conduct({
    topology,
    config,
    fault: { id: "power-cut", target: topology.active },
    story: powerCutStory(flows),
    accelerator: accel,
    command,
    capture: pcap,
    cold,
    runsFolder,
    progress,
    signal,
    ...(control !== undefined && { control }),
    ...(keep && { beforeEnd: () => keepUp(topology, progress, signal) }),
  });
  progress[Symbol.dispose]();
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

/** Leaves the lab as it is until the user has seen enough: an interruption then ends the run as it would have ended. */
async function keepUp({ machines }: Topology, progress: TerminalProgress, signal: AbortSignal): Promise<void> {
  progress.note(
    [
      "the lab is up until Ctrl-C; its namespaces are entered from another terminal:",
      `  nsenter --all --target "$(pgrep -nf 'fwlab.ts start')"`,
      ...machines.map((spec) => `  ssh -p ${controlPort} -i ${clientKeyFile()} root@${managementAddressOf(spec)}  # ${spec.name}`),
    ].join("\n"),
  );
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
