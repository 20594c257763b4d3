import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../host/cacheFolder.ts";
import { labFolder } from "../host/labFolder.ts";
import type { BootPatience } from "../machine/machine.ts";
import { agentFiles } from "../machine/machineFiles.ts";
import type { MemoryFile } from "../machine/qemuArguments.ts";
import type { Progress } from "../progress/progress.ts";
import { snapshotLimitBytes } from "../snapshot/limit.ts";
import { snapshotsFolder, SnapshotStore } from "../snapshot/store.ts";
import { isSandwich } from "../topology/sandwich.ts";
import type { Topology } from "../topology/topology.ts";
import { receiveBufferBytes } from "../traffic/agent/udpSocket.ts";
import { agentPort } from "../traffic/protocol.ts";
import { comeToRest } from "./addressesHome.ts";
import { Lab } from "./lab.ts";
import type { LabDesktops, LabOptions } from "./labOptions.ts";
import type { Prepared } from "./prepare.ts";
import { restoreWarm, savedIdle } from "./warmLab.ts";

export interface LabSetting {
  readonly topology: Topology;
  /** Config trees, lowest first. */
  readonly trees: readonly string[];
  readonly prepared: Prepared;
  /** Machines with a graphical console; such a lab is booted, whatever saved ones there are. None unless given. */
  readonly desktops?: LabDesktops | undefined;
  /** Folder that keeps the consoles' output, in a folder of theirs. */
  readonly keptIn: string;
  readonly progress: Progress;
  /** How long machines may take, instead of what is usual with the accelerator. */
  readonly patience?: BootPatience;
  readonly signal: AbortSignal;
}

/** The options of a lab in this process's namespaces whose endpoints run the flows' agents. */
export async function labOptions({ topology, trees, prepared, desktops, keptIn, progress, patience, signal }: LabSetting): Promise<LabOptions> {
  const consoles = join(keptIn, "consoles");
  await mkdir(consoles, { recursive: true });
  return {
    topology,
    trees,
    boot: prepared.image,
    ...(desktops && { desktops }),
    keys: prepared.keys,
    accelerator: prepared.choice.accelerator,
    folder: labFolder(),
    consoles,
    extraFiles: (spec) => (spec.role === "endpoint" ? agentFiles(spec, prepared.agent, { port: agentPort, receiveBufferBytes }) : []),
    progress,
    ...(patience && { patience }),
    signal,
  };
}

/** Environment variable by which `fwlab test --cold` tells the suites that machines are to be booted. */
export const coldSuites = "FWLAB_COLD";

/** Environment variable that runs the suites of every night as well. */
export const thoroughSuites = "FWLAB_THOROUGH";

/** Environment variable by which `fwlab test --pause-on-failure` tells the suites to leave the lab of what fails. */
export const pauseOnFailure = "FWLAB_PAUSE_ON_FAILURE";

/** How a lab came up: its machines booted; restored with the config tree, or idle and given it; restored with flows in them. */
export type Begun = "cold" | "warm" | "live";

export interface StartedLab {
  readonly lab: Lab;
  readonly begun: Begun;
  /** By this process's monotonic clock, in milliseconds. */
  readonly begunAtMs: number;
  /** How long each part took, by name, in milliseconds. */
  readonly durations: Readonly<Record<string, number>>;
}

export interface StartLabOptions extends LabSetting {
  /** Whether machines are booted even where saved ones could be restored. */
  readonly cold: boolean;
  /** "kept" for a lab that is to be saved. */
  readonly writes: MemoryFile["writes"];
  /** Whether the lab is saved for later runs once its config tree is laid: not worth the time for one that is seen once. */
  readonly keepsLaid?: boolean;
  /** Where saved machines are, and are put: the cache, unless another is given. */
  readonly store?: SnapshotStore;
}

/** Brings a lab up with its config trees, from saved machines where that may be and can be. @throws Failure when a machine does not come up. */
export async function startLab(options: StartLabOptions): Promise<StartedLab> {
  const { topology, prepared, desktops, progress, writes, keepsLaid = true, signal, store = cachedSnapshots() } = options;
  const cold = options.cold || desktops !== undefined;
  const own = await labOptions(options);
  const lab: LabOptions = cold ? own : { ...own, savedIdle: () => savedIdle({ lab: own, prepared, store, signal }) };
  const begin = performance.now();
  const since = (startMs: number): number => Math.round(performance.now() - startMs);
  const warm = cold ? undefined : await restoreWarm({ lab, prepared, store, writes, keepsLaid, ...(isSandwich(topology) && { rest: (laid) => comeToRest(laid, { topology, progress, signal }) }), signal });
  if (warm === undefined) {
    const booted = await Lab.start(lab);
    return { lab: booted, begun: "cold", begunAtMs: performance.now(), durations: { bootMs: since(begin) } };
  }
  return { ...warm, begun: "warm", begunAtMs: performance.now() };
}

/** The snapshots in the cache. @throws Failure (usage) when the limit of their size cannot be read. */
export function cachedSnapshots(): SnapshotStore {
  return new SnapshotStore({ folder: snapshotsFolder(cacheFolder()), limitBytes: snapshotLimitBytes() });
}
