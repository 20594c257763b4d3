import { Command, Option } from "commander";
import { promisesOf } from "../lab/config/promises.ts";
import type { ExitCode } from "../lab/failure/failure.ts";
import type { Subject } from "../lab/history/pooled.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { conduct } from "../lab/run/conduct.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { powerCutStory } from "../lab/run/powerCutStory.ts";
import { topologyOf } from "../lab/run/topologyOf.ts";
import { promisedFlows, type FlowCounts } from "../lab/traffic/flowSpec.ts";
import { baselineOf } from "./afterwards.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";
import { keepUp } from "./keepUp.ts";
import { labVerbOptions, type LabVerbOptions } from "./labOptions.ts";
import { repeatCommand } from "./repeatCommand.ts";
import { tellRun } from "./tellRun.ts";
import { parseClients, sandwichFlowCount, startSandwich, topologyNames, treesFor, type TopologyName } from "./startSandwich.ts";

/** The options of `fwlab start`. */
interface StartOptions extends LabVerbOptions {
  readonly keep: boolean;
  readonly topology?: TopologyName;
  /** Of a sandwich: connections that its load holds open. */
  readonly clients: number;
}

/** `fwlab start`: one failover, judged. */
export function startCommand(): Command {
  const command = new Command("start").description("boot the four machines, cut the power of fw-1 under live flows, judge the failover and the failback");
  for (const option of labVerbOptions({ resultFile: "run.json" })) command.addOption(option);
  return command
    .addOption(new Option("--topology <name>", "the topology; that of the config tree unless given. A sandwich's config tree is fixtures/sandwich-ha, and fixtures/sandwich-directors where it has two directors, unless --config is given").choices(topologyNames))
    .addOption(new Option("--clients <count>", "of a sandwich: connections that its load holds open").argParser(parseClients).default(1_000))
    .option("--keep", "leave the lab up until Ctrl-C", false)
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab start --flows 20 --config fixtures/omarine-routed")
    .action(async (options: StartOptions) => {
      const trees = await treesFor(options.topology, command.getOptionValueSource("config") === "default" ? undefined : options.config);
      if (trees !== undefined) {
        const { clients, control } = options;
        const flows = sandwichFlowCount(command.getOptionValueSource("flows") === "default" ? undefined : options.flows);
        if (control !== undefined) command.error(`error: --control ${control} is of a primary/backup pair, and breaks no sandwich`);
        const baseline = await baselineOf(options.baseline);
        const repeat = repeatCommand(["start"], command, { flows, config: trees.tree });
        process.exitCode = isFirstInside() ? await startSandwich({ ...options, ...trees, flows, clients, command: repeat, baseline }) : await enterAgain();
        return;
      }
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
  const finished = await conduct({
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
  return await tellRun(finished, { ...(json !== undefined && { json }), verbose, baseline });
}
