import { setMaxListeners } from "node:events";
import { join } from "node:path";
import { promisesOf, type Promises } from "../config/promises.ts";
import { firewallBuilderFile } from "../config/firewallBuilderFile.ts";
import type { AcceleratorWish } from "../machine/accelerator.ts";
import { hashOfTrees, machineTrees, type MachineTrees } from "../machine/configTree.ts";
import type { Progress } from "../progress/progress.ts";
import type { RunStart } from "../report/bundle.ts";
import type { PairTopology, Topology } from "../topology/topology.ts";
import { withCompiledPolicy } from "./compiledPolicy.ts";
import { portablePath } from "./portablePath.ts";
import { fixturesFolder, prepare, type Prepared } from "./prepare.ts";
import type { CaptureChoice } from "./runCapture.ts";
import { ownVersions } from "./versions.ts";

/**
 * Config trees that are laid over the one under test to break it on purpose: `no-conntrackd` loses flows and must fail; `slow-advert` (an advert
 * every 3 s) keeps them and takes three times as long, which a comparison with the tree itself must tell; `way-back-by-fw-1`, over a tree without
 * NAT, gives omarine its way back by fw-1's own address, loses flows and must fail.
 */
export const controls = ["no-conntrackd", "slow-advert", "way-back-by-fw-1"] as const;
export type Control = (typeof controls)[number];

export interface SettingOptions<T extends Topology = PairTopology> {
  readonly topology: T;
  /** Folder of the config tree under test. */
  readonly config: string;
  /** Config trees that are laid over it, lowest first: the files of a user's that differ. */
  readonly over?: readonly string[];
  readonly control?: Control;
  /** What is broken on what, for the run's record. */
  readonly fault: { readonly id: string; readonly target: string };
  readonly accelerator: AcceleratorWish;
  /** Host, image and accelerator, where they were seen to already. */
  readonly prepared?: Prepared | undefined;
  /** The command line that repeats the run, for its record. */
  readonly command?: string | undefined;
  /** Whether runs are captured; `on` unless another is given. */
  readonly capture?: CaptureChoice;
  readonly progress: Progress;
  /** Aborting ends what is done in this setting soon. */
  readonly signal: AbortSignal;
}

/** What is the same for every run of one command: topology, config trees, host, image, accelerator. */
export interface RunSetting<T extends Topology = PairTopology> {
  readonly topology: T;
  /** Lowest first; of Firewall Builder's policy, what it was compiled to. */
  readonly trees: readonly string[];
  /** What the machines get from them, as it was when the config's hash was taken. */
  readonly machines: MachineTrees;
  readonly prepared: Prepared;
  readonly capture: CaptureChoice;
  /** What the config tree under test promises. */
  readonly promises: Promises;
  /** What a run's record says of all this. */
  readonly record: Omit<RunStart, "id">;
}

/** Sees to all that a run needs before its lab is there. @throws Failure when host, image, accelerator or config tree do not allow a run at all. */
export async function setRun<T extends Topology>({ topology, config, over = [], control, fault, accelerator, prepared: before, command, capture = "on", progress, signal }: SettingOptions<T>): Promise<RunSetting<T>> {
  // Many things are waited for at once, on each machine and for each flow: Node would take eleven for a leak, and warn.
  setMaxListeners(0, signal);
  const overlays = [...over, ...(control === undefined ? [] : [join(fixturesFolder, "controls", control)])];
  const given = [config, ...overlays];
  const names = topology.machines.map(({ name }) => name);
  // What is wrong with the trees is told before an image is built.
  await machineTrees(given, names);
  await firewallBuilderFile(given);
  const promises = await promisesOf(...given);
  const prepared = before ?? (await prepare({ topology, accelerator, progress, signal }));
  const trees = await withCompiledPolicy({ topology, trees: given, prepared, progress, signal });
  const machines = await machineTrees(trees, names);
  const { choice, cores, qemuVersion, image } = prepared;
  return {
    topology,
    trees,
    machines,
    prepared,
    capture,
    promises,
    record: {
      topology: topology.name,
      config: { path: portablePath(config), overlays: overlays.map((tree) => portablePath(tree)), sha256: hashOfTrees(machines) },
      fault: { ...fault, atMs: null },
      ...(command !== undefined && { command }),
      versions: { ...(await ownVersions()), node: process.versions.node, qemu: qemuVersion, kernel: image.kernelRelease },
      host: { accelerator: choice.accelerator, accelReason: choice.reason, cores, qemu: qemuVersion, guestKernel: image.kernelRelease },
    },
  };
}
