import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../host/cacheFolder.ts";
import { requireHost } from "../host/requirements.ts";
import { ensureImage, type GuestImage } from "../image/image.ts";
import { ensureKeys, type LabKeys } from "../image/keys.ts";
import { chooseAccelerator, type AcceleratorChoice, type AcceleratorWish } from "../machine/accelerator.ts";
import type { Progress } from "../progress/progress.ts";
import type { Topology } from "../topology/topology.ts";
import { callersFolder, isInstalled } from "./portablePath.ts";
import { bundleAgent, type AgentProgram } from "../traffic/bundleAgent.ts";

/** The repository's own config trees. */
export const fixturesFolder = fileURLToPath(new URL("../../fixtures", import.meta.url));

/** Where the bundles of runs go: beside the suites that they are of. */
export const runsFolder = isInstalled ? join(callersFolder(), "runs") : fileURLToPath(new URL("../../runs", import.meta.url));

/** What a lab needs before its first machine is switched on. */
export interface Prepared {
  readonly image: GuestImage;
  readonly keys: LabKeys;
  readonly choice: AcceleratorChoice;
  readonly qemuVersion: string;
  readonly cores: number;
  /** What the endpoints run to hold flows. */
  readonly agent: AgentProgram;
}

export interface PrepareOptions {
  readonly topology: Topology;
  readonly accelerator: AcceleratorWish;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Sees to host programs, guest image, keys and accelerator. @throws Failure when one of them is not to be had. */
export async function prepare({ topology, accelerator, progress, signal }: PrepareOptions): Promise<Prepared> {
  const host = await requireHost(signal);
  const image = await ensureImage({ progress, signal });
  const keys = await ensureKeys(
    topology.machines.map(({ name }) => name),
    signal,
  );
  const qemuVersion = host.qemuVersion ?? "unknown";
  const choice = await chooseAccelerator({ wish: accelerator, boot: image, imageId: image.id, qemuVersion, cacheFolder: cacheFolder(), progress, signal });
  progress.note(
    choice.accelerator === "kvm"
      ? `accelerator: KVM (${choice.reason})`
      : `accelerator: TCG, the machines are EMULATED and many times slower than with KVM (${choice.reason})`,
  );
  return { image, keys, choice, qemuVersion, cores: cpus().length, agent: await bundleAgent() };
}
