import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bootStages, stageOf, type BootStage } from "../../lab/machine/console.ts";
import { incomingArguments } from "../../lab/machine/qemuArguments.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import type { NewBundles } from "./bundles.ts";
import type { Command } from "./command.ts";
import { isMachine, programOf, type ProcessInfo } from "./processes.ts";
import type { Traces } from "./traces.ts";

/** A run of `npm start` under way, as seen from outside. */
export interface Scene {
  readonly command: Command;
  readonly traces: Traces;
  readonly bundles: NewBundles;
}

/** An event of a run, not a time: it comes on a slow host and on a fast one. */
export type Moment = (scene: Scene, processes: readonly ProcessInfo[]) => boolean;

const machineCount = primaryBackup.machines.length;

/** The moments of a run in the order in which they come. Machines that are restored do not boot: their consoles say nothing. */
export const moments = {
  "npm has just started": (_, processes) => processes.length > 0,
  "the bootstrap runs": (_, processes) => processes.some(isBootstrap),
  "the namespaces are entered": ({ traces }, processes) => processes.some((process) => traces.foreignNamespaces(process).some((name) => name.startsWith("net:"))),
  "the first QEMU runs": (_, processes) => processes.some(isMachine),
  "all QEMUs run": (_, processes) => processes.filter(isMachine).length === machineCount,
  "all QEMUs have been told to restore": (_, processes) => processes.filter((process) => isMachine(process) && process.command.includes(incomingArguments[0] ?? "")).length === machineCount,
  "a machine has mounted its root": ({ bundles }) => machinesAt(bundles, "root mounted") > 0,
  "all machines are ready": ({ bundles }) => machinesAt(bundles, "ready") === machineCount,
  "the flows are open": ({ bundles }) => inBundle(bundles, "observations", "failover-before"),
  "the power of fw-1 is cut": ({ command }) => /^fault: /mu.test(command.output),
  "fw-1 boots again": ({ bundles }) => inBundle(bundles, "consoles", "fw-1-2.log"),
} satisfies Record<string, Moment>;
export type MomentName = keyof typeof moments;

/** Processes of a run that somebody may hit. A negative id is a process group's. */
export const targets = {
  npm: ({ command }) => command.pid,
  "the whole process group": ({ command }) => -command.pid,
  "the bootstrap": (_, processes) => processes.find(isBootstrap)?.pid,
  "the outer process": (_, processes) => parentOf(unshareOf(processes), processes)?.pid,
  unshare: (_, processes) => unshareOf(processes)?.pid,
  "the first process inside": (_, processes) => processes.find(({ parent }) => parent === unshareOf(processes)?.pid)?.pid,
  "a QEMU's parent": (_, processes) => processes.find(isMachine)?.parent,
} satisfies Record<string, (scene: Scene, processes: readonly ProcessInfo[]) => number | undefined>;
export type TargetName = keyof typeof targets;

/** Waits for a moment. Gives the command's processes at it. @throws Error when the command ends before it. */
export function momentOf(scene: Scene, name: MomentName): Promise<ProcessInfo[]> {
  const moment: Moment = moments[name];
  return scene.command.until(name, (processes) => moment(scene, processes));
}

/** Sends a signal. @throws Error when the target is not there. */
export function hit(scene: Scene, name: TargetName, processes: readonly ProcessInfo[], signal: "SIGKILL" | "SIGINT" | "SIGTERM"): void {
  const pid = targets[name](scene, processes);
  if (pid === undefined) {
    throw new Error(`${name} is not there; there are:\n${processes.map(({ pid: id, parent, command }) => `${id} (of ${parent}) ${command.join(" ").slice(0, 100)}`).join("\n")}`);
  }
  process.kill(pid, signal);
}

function isBootstrap(process: ProcessInfo): boolean {
  return programOf(process) === "node" && process.command[1] === "scripts/bootstrap.mjs";
}

function unshareOf(processes: readonly ProcessInfo[]): ProcessInfo | undefined {
  return processes.find((process) => programOf(process) === "unshare" && process.command.includes("--net"));
}

function parentOf(child: ProcessInfo | undefined, processes: readonly ProcessInfo[]): ProcessInfo | undefined {
  return processes.find(({ pid }) => pid === child?.parent);
}

function inBundle({ folder }: NewBundles, ...path: string[]): boolean {
  return folder !== undefined && existsSync(join(folder, ...path));
}

/** How many machines have come at least as far in their boot. */
function machinesAt(bundles: NewBundles, stage: BootStage): number {
  const { folder } = bundles;
  if (folder === undefined || !inBundle(bundles, "consoles")) return 0;
  const consoles = readdirSync(join(folder, "consoles")).map((name) => readFileSync(join(folder, "consoles", name), "latin1"));
  return consoles.filter((text) => bootStages.indexOf(stageOf(text)) >= bootStages.indexOf(stage)).length;
}
