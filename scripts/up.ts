import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { promisesOf } from "../lab/config/promises.ts";
import { exitCode, Failure, type ExitCode } from "../lab/failure/failure.ts";
import { askOnce, isStanding } from "../lab/hand/askLab.ts";
import { requireMachines } from "../lab/hand/desktops.ts";
import { graphicalConsoleAt, type LabPlace } from "../lab/hand/place.ts";
import { stand, upLine } from "../lab/hand/stand.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { absent } from "../lab/image/manifest.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { treeStack } from "../lab/run/treeStack.ts";
import { topologyOf } from "../lab/run/topologyOf.ts";
import type { FlowCounts } from "../lab/traffic/flowSpec.ts";
import { inNamespaces } from "./enter.ts";
import { interruption, interruptionInside } from "./interruption.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";
import { labVerbOptions, type LabVerbOptions } from "./labOptions.ts";
import { prepareHost } from "./prepareHost.ts";
import { parseFlows } from "./startOptions.ts";
import { topologyNames, treesFor, type TopologyName } from "./startSandwich.ts";

interface UpOptions extends LabNameOption, Pick<LabVerbOptions, "accel" | "config" | "cold"> {
  readonly flows: number | FlowCounts;
  readonly topology?: TopologyName;
  readonly spice: readonly string[];
}

/** Tells a process that it is the one that keeps the lab: nobody waits for it. */
const keeperVariable = "FWLAB_KEEPS_LAB";
/** How often the keeper is looked at, in milliseconds. */
const lookMs = 150;
/** A machine that does not come up is given up long before. */
const upWithinMs = 30 * 60_000;

/** `fwlab up`: a lab that stands until it is taken down. */
export function upCommand(): Command {
  const command = new Command("up").description("bring a lab up, with flows through it, and leave it to your hands: status, ssh, console, logs, capture, fault, heal, snapshot, restore, down");
  const shared = labVerbOptions({ resultFile: "" }).filter(({ long }) => ["--accel", "--config", "--cold"].includes(long ?? ""));
  for (const option of shared) command.addOption(option);
  return command
    .addOption(new Option("--topology <name>", "the topology; that of the config tree unless given").choices(topologyNames))
    .addOption(new Option("--flows <counts>", "a total, tcp=N,udp=N,ssh=N, or 0 for none").argParser(parseSomeFlows).default(12))
    .addOption(new Option("--spice <machine>", "a machine that gets a desktop on a graphical console, for fwlab viewer; may be given again for another").argParser<string[]>((name, before) => [...before, name]).default([], "none"))
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab up --flows 20 && npx fwlab status && npx fwlab fault power-cut fw-1")
    .action(async (options: UpOptions) => {
      const named = command.getOptionValueSource("config") === "default" ? undefined : options.config;
      process.exitCode = isFirstInside() ? await inside(options, named) : process.env[keeperVariable] === undefined ? await outside(options, named) : await inNamespaces();
    });
}

/** As `--flows` of a run, or none. @throws InvalidArgumentError */
function parseSomeFlows(text: string): number | FlowCounts {
  if (text === "0") return 0;
  try {
    return parseFlows(text);
  } catch (error) {
    throw error instanceof InvalidArgumentError ? new InvalidArgumentError(error.message.replace("at least 1", "at least 0")) : error;
  }
}

async function treesOf({ topology, config }: UpOptions, named: string | undefined) {
  const sandwich = await treesFor(topology, named);
  if (sandwich !== undefined) return sandwich;
  const { topology: own } = await promisesOf(config);
  const found = await topologyOf(config);
  if (topology !== undefined && own !== topology) throw new Failure({ tried: `bring the topology ${topology} up`, seen: `${config} is for ${own}, by its fwlab.json`, remedy: "Name a tree of that topology with --config", exit: exitCode.usage });
  const [lowest = config, ...over] = await treeStack(config);
  return { topology: found, tree: config, config: lowest, over };
}

/** Starts the process that keeps the lab, tells what it says, and waits until the lab is up. */
async function outside(options: UpOptions, named: string | undefined): Promise<ExitCode> {
  const { lab: place } = options;
  const signal = interruption();
  const { topology } = await treesOf(options, named);
  requireMachines(topology, options.spice);
  for (const machine of options.spice) graphicalConsoleAt(place, machine);
  if (await isStanding(place)) throw new Failure({ tried: `bring the lab ${place.name} up`, seen: "it stands already", remedy: `fwlab down --lab ${place.name} takes it down; --lab NAME brings another one up`, exit: exitCode.usage });
  await prepareHost(process.stdout, signal, { desktop: options.spice.length > 0 });
  await rm(place.folder, { recursive: true, force: true });
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const log = await open(place.log, "a", 0o600);
  const keeper = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { detached: true, stdio: ["ignore", log.fd, log.fd], env: { ...process.env, [keeperVariable]: "1", NO_COLOR: "1" } });
  await log.close();
  await writeFile(place.pid, `${keeper.pid ?? ""}\n`);
  const onAbort = (): void => void keeper.kill("SIGTERM");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await untilUp(place, keeper);
  } finally {
    signal.removeEventListener("abort", onAbort);
    keeper.unref();
  }
}

async function untilUp(place: LabPlace, keeper: ChildProcess): Promise<ExitCode> {
  let told = 0;
  const tell = async (): Promise<string> => {
    const text = await readFile(place.log, "utf8");
    process.stdout.write(text.slice(told));
    told = text.length;
    return text;
  };
  const deadlineMs = performance.now() + upWithinMs;
  for (;;) {
    const { exitCode: code, signalCode } = keeper;
    const text = await tell();
    if (text.includes(`${upLine(place.name)}\n`)) break;
    if (code !== null) return code === 1 || code === 2 ? code : exitCode.invalid;
    if (signalCode !== null || performance.now() > deadlineMs) {
      keeper.kill("SIGKILL");
      throw new Failure({ tried: `bring the lab ${place.name} up`, seen: signalCode === null ? `it is not up after ${upWithinMs / 60_000} min` : `the process that keeps it was ended by ${signalCode}`, remedy: `Look at ${place.log}`, exit: exitCode.invalid });
    }
    await delay(lookMs);
  }
  process.stdout.write("fwlab status looks at it, fwlab down takes it down; fwlab --help tells what else can be done with it\n");
  return exitCode.pass;
}

/** The process that keeps the lab, the first of its namespaces. */
async function inside(options: UpOptions, named: string | undefined): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress(process.stdout);
  const { topology, tree, config, over } = await treesOf(options, named);
  const { lab: place, flows, accel: accelerator, cold, spice } = options;
  return await stand({ place, topology, tree, config, over, flows, accelerator, cold, spice, progress, signal });
}

/** `fwlab down`: takes a lab down. */
export function downCommand(): Command {
  return new Command("down")
    .description("take a lab down that was brought up by hand")
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab down")
    .action(async ({ lab: place }: LabNameOption) => {
      const keeper = await keeperOf(place);
      if (await isStanding(place)) await askOnce(place, { verb: "down" });
      // One that is still coming up hears no questions.
      else if (keeper !== undefined) process.kill(keeper, "SIGTERM");
      // One whose process was killed has left its files.
      else if (!(await hasFiles(place))) throw new Failure({ tried: `take the lab ${place.name} down`, seen: "no lab of that name stands", remedy: "fwlab status --all lists those that stand", exit: exitCode.usage });
      const deadlineMs = performance.now() + 30_000;
      while ((await isStanding(place)) || (await keeperOf(place)) !== undefined) {
        if (performance.now() > deadlineMs) throw new Failure({ tried: `take the lab ${place.name} down`, seen: "it still answers after 30 s", remedy: `Look at ${place.log}`, exit: exitCode.invalid });
        await delay(lookMs);
      }
      await rm(place.folder, { recursive: true, force: true });
      process.stdout.write(`the lab ${place.name} is down\n`);
      process.exitCode = exitCode.pass;
    });
}

/** The process that keeps a lab; undefined when it is gone. Its number may be another's by now: that one is no fwlab up. */
async function keeperOf(place: LabPlace): Promise<number | undefined> {
  const pid = Number((await readFile(place.pid, "utf8").catch(absent))?.trim());
  if (!(pid > 0)) return undefined;
  const commandLine = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(absent)) ?? "";
  return commandLine.split("\0").includes("up") ? pid : undefined;
}

async function hasFiles(place: LabPlace): Promise<boolean> {
  return (await readdir(place.folder).catch(absent)) !== undefined;
}
