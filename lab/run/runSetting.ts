import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { AcceleratorWish } from "../machine/accelerator.ts";
import { configHash } from "../machine/configTree.ts";
import type { Progress } from "../progress/progress.ts";
import type { RunStart } from "../report/bundle.ts";
import type { Topology } from "../topology/topology.ts";
import { fixturesFolder, prepare, type Prepared } from "./prepare.ts";

/** Runs that must fail, each a config tree that is laid over the one under test. */
export const controls = ["no-conntrackd"] as const;
export type Control = (typeof controls)[number];

export interface SettingOptions {
  readonly topology: Topology;
  /** Folder of the config tree under test. */
  readonly config: string;
  readonly control?: Control;
  /** What is broken on what, for the run's record. */
  readonly fault: { readonly id: string; readonly target: string };
  readonly accelerator: AcceleratorWish;
  readonly progress: Progress;
  /** Aborting ends what is done in this setting soon. */
  readonly signal: AbortSignal;
}

/** What is the same for every run of one command: topology, config trees, host, image, accelerator. */
export interface RunSetting {
  readonly topology: Topology;
  /** Lowest first. */
  readonly trees: readonly string[];
  readonly prepared: Prepared;
  /** What a run's record says of all this. */
  readonly record: Omit<RunStart, "id">;
}

/** Sees to all that a run needs before its lab is there. @throws Failure when host, image, accelerator or config tree do not allow a run at all. */
export async function setRun({ topology, config, control, fault, accelerator, progress, signal }: SettingOptions): Promise<RunSetting> {
  // Many things are waited for at once, on each machine and for each flow: Node would take eleven for a leak, and warn.
  setMaxListeners(0, signal);
  const overlays = control === undefined ? [] : [join(fixturesFolder, "controls", control)];
  const trees = [config, ...overlays];
  const sha256 = await configHash(
    trees,
    topology.machines.map(({ name }) => name),
  );
  const prepared = await prepare({ topology, accelerator, progress, signal });
  const { choice, cores, qemuVersion, image } = prepared;
  return {
    topology,
    trees,
    prepared,
    record: {
      topology: topology.name,
      config: { path: config, overlays, sha256 },
      fault: { ...fault, atMs: null },
      host: { accelerator: choice.accelerator, accelReason: choice.reason, cores, qemu: qemuVersion, guestKernel: image.kernelRelease },
    },
  };
}
