import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { promisesOf, promisesSchema } from "../lab/config/promises.ts";
import { exitCode, Failure, type ExitCode } from "../lab/failure/failure.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { mostClients, mostFlows, type SandwichLoadOptions } from "../lab/load/sandwichLoad.ts";
import type { AcceleratorWish } from "../lab/machine/accelerator.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { conductSandwich } from "../lab/run/conductSandwich.ts";
import { fixturesFolder, runsFolder } from "../lab/run/prepare.ts";
import type { CaptureChoice } from "../lab/run/runCapture.ts";
import { cutOfSandwich } from "../lab/run/sandwichCut.ts";
import { treeStack } from "../lab/run/treeStack.ts";
import { sandwich, sandwichDirectors, sandwiches, type SandwichTopology } from "../lab/topology/sandwich.ts";
import type { FlowCounts } from "../lab/traffic/flowSpec.ts";
import type { Subject } from "../lab/history/pooled.ts";
import { interruptionInside } from "./interruption.ts";
import { keepUp } from "./keepUp.ts";
import { tellRun } from "./tellRun.ts";

export const topologyNames = promisesSchema.shape.topology.unwrap().options;
export type TopologyName = (typeof topologyNames)[number];

/** The config trees of sandwiches that are started unless one is named, by their topology. */
const usualTrees: ReadonlyMap<string, string> = new Map([
  [sandwich.name, "sandwich-ha"],
  [sandwichDirectors.name, "sandwich-directors"],
]);

/** Clients that open a connection for each request, beside those that hold theirs. */
const others = 20;
/** At a thousand clients a hundred requests a second, which four emulated machines on two cores can carry. */
const pauseMs = 10_000;
const usualFlows = 40;

/** The load of a run by hand. @param held connections that it holds open. */
export function startLoad(held: number): SandwichLoadOptions {
  return { held, others, pauseMs };
}

/** Reads `--clients`. @throws InvalidArgumentError for what is no whole number of clients that there are addresses for. */
export function parseClients(text: string): number {
  const count = /^\d{1,6}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 0 && count <= mostClients - others)) throw new InvalidArgumentError(`"${text}" is not a whole number from 0 to ${mostClients - others}.`);
  return count;
}

/** How many flows with ledgers a sandwich has; all are TCP. @throws Failure (usage) for other kinds, or more than there are addresses for. */
export function sandwichFlowCount(flows: number | FlowCounts | undefined): number {
  if (flows === undefined) return usualFlows;
  const count = typeof flows === "number" ? flows : flows.tcp;
  const refuse = (seen: string): Failure => new Failure({ tried: "open flows through the sandwich", seen, remedy: `Ask for at most ${mostFlows} flows of TCP`, exit: exitCode.usage });
  if (typeof flows !== "number" && flows.udp + flows.ssh > 0) throw refuse("its director balances TCP alone");
  if (count < 1 || count > mostFlows) throw refuse(`${count} flows are asked for`);
  return count;
}

/** A sandwich's topology, the tree that was named, and what it is made of: the lowest, and what is laid over it. */
export interface SandwichTrees {
  readonly topology: SandwichTopology;
  readonly tree: string;
  readonly config: string;
  readonly over: readonly string[];
}

/**
 * A sandwich's config tree, with what it is laid over: `config` is the lowest; undefined when what is asked for is none. @param config the tree that the user named.
 * @throws Failure (usage) when the named topology is not the tree's.
 */
export async function treesFor(topology: TopologyName | undefined, config: string | undefined): Promise<SandwichTrees | undefined> {
  const own = usualTrees.get(topology ?? "");
  const tree = config ?? (own === undefined ? undefined : join(fixturesFolder, own));
  if (tree === undefined) return undefined;
  const { topology: name } = await promisesOf(tree);
  if (topology !== undefined && name !== topology) {
    throw new Failure({ tried: `start the topology ${topology}`, seen: `${tree} is for ${name}, by its fwlab.json`, remedy: "Leave --topology out, or name the tree's", exit: exitCode.usage });
  }
  const found = sandwiches.get(name);
  if (found === undefined) return undefined;
  const [lowest = tree, ...over] = await treeStack(tree);
  return { topology: found, tree, config: lowest, over };
}

export interface StartSandwichOptions {
  readonly topology: SandwichTopology;
  readonly config: string;
  readonly over: readonly string[];
  readonly flows: number;
  readonly clients: number;
  readonly accel: AcceleratorWish;
  readonly pcap: CaptureChoice;
  readonly cold: boolean;
  readonly keep: boolean;
  readonly verbose: boolean;
  readonly json?: string;
  /** The command line that repeats the run. */
  readonly command: string;
  readonly baseline: Subject | undefined;
}

/** The inner half of `fwlab start` of a sandwich: fw-1 loses its power under load, and comes back; where there are two directors, the first of them loses its; judged. */
export async function startSandwich({ topology, config, over, flows, clients, accel, pcap, cold, keep, verbose, json, command, baseline }: StartSandwichOptions): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress(process.stdout, { verbose });
  await prepareNamespaces(signal);
  const finished = await conductSandwich({
    topology,
    config,
    over,
    ...cutOfSandwich(topology, flows, startLoad(clients)),
    accelerator: accel,
    command,
    capture: pcap,
    cold,
    runsFolder,
    progress,
    signal,
    ...(keep && { beforeEnd: () => keepUp(topology, progress, signal) }),
  });
  progress[Symbol.dispose]();
  return await tellRun(finished, { ...(json !== undefined && { json }), verbose, baseline });
}
