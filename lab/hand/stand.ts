import { exitCode, type ExitCode } from "../failure/failure.ts";
import { labFolder, prepareNamespaces } from "../host/labFolder.ts";
import { ensureImage } from "../image/image.ts";
import type { AcceleratorWish } from "../machine/accelerator.ts";
import type { Progress } from "../progress/progress.ts";
import { portablePath } from "../run/portablePath.ts";
import { setRun } from "../run/runSetting.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { isPair, type PairTopology } from "../topology/topology.ts";
import { promisedFlows, type FlowCounts } from "../traffic/flowSpec.ts";
import { furnishDesktops, withDesktopMemory } from "./desktops.ts";
import type { LabPlace } from "./place.ts";
import { serveLab } from "./serveLab.ts";
import { StandingLab } from "./standingLab.ts";

export interface StandOptions {
  readonly place: LabPlace;
  readonly topology: PairTopology | SandwichTopology;
  /** The config tree that was named, for whoever asks. */
  readonly tree: string;
  /** The lowest config tree. */
  readonly config: string;
  /** Config trees that are laid over it, lowest first. */
  readonly over: readonly string[];
  /** A total, or how many of each kind; 0 for none. */
  readonly flows: number | FlowCounts;
  readonly accelerator: AcceleratorWish;
  readonly cold: boolean;
  /** Machines that get a graphical console. */
  readonly spice: readonly string[];
  readonly progress: Progress;
  /** Takes the lab down. */
  readonly signal: AbortSignal;
}

/** The line that says that a lab is up. */
export function upLine(name: string): string {
  return `the lab ${name} is up`;
}

/**
 * Brings a lab up in this process's namespaces, answers what is asked of it by its socket, and takes it down when that is asked for or the signal aborts.
 * @throws Failure when it does not come up.
 */
export async function stand({ place, topology: lean, tree, config, over, flows, accelerator, cold, spice, progress, signal }: StandOptions): Promise<ExitCode> {
  await prepareNamespaces(signal);
  const topology = withDesktopMemory(lean, spice);
  const setting = await setRun({ topology, config, over, fault: { id: "by-hand", target: "" }, accelerator, progress, signal });
  const counts = flows === 0 ? { tcp: 0, udp: 0, ssh: 0 } : promisedFlows(flows, isPair(topology) ? setting.promises.flows : ["tcp"]);
  const desktops = spice.length === 0 ? undefined : await furnishDesktops(place, await ensureImage({ variant: "desktop", progress, signal }), spice);
  const down = new AbortController();
  const ending = AbortSignal.any([signal, down.signal]);
  await using lab = await StandingLab.start({ topology, trees: setting.trees, config: portablePath(tree), prepared: setting.prepared, desktops, flows: counts, cold, folder: place.folder, progress, signal: ending });
  const onDown = (): void => down.abort(new Error("somebody asked that the lab be taken down"));
  const serving = await serveLab({ lab, socket: place.socket, keysFolder: labFolder(), onDown, log: (line) => progress.note(`asked: ${line}`), signal: ending });
  for (const name of spice) progress.note(`graphical console of ${name}: fwlab viewer ${name}${place.name === "lab" ? "" : ` --lab ${place.name}`} shows it`);
  progress.note(upLine(place.name));
  try {
    await new Promise<void>((resolve) => {
      if (ending.aborted) resolve();
      else ending.addEventListener("abort", () => resolve(), { once: true });
    });
  } finally {
    await serving[Symbol.asyncDispose]();
  }
  progress.note(down.signal.aborted ? "taken down" : "interrupted: taken down");
  return exitCode.pass;
}
