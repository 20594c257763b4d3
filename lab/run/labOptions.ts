import type { LabKeys } from "../image/keys.ts";
import type { TreeEntry } from "../machine/configTree.ts";
import type { GraphicalConsole } from "../machine/graphicalConsole.ts";
import type { BootPatience } from "../machine/machine.ts";
import { labFiles } from "../machine/machineFiles.ts";
import type { Accelerator, BootFiles } from "../machine/qemuArguments.ts";
import type { Progress } from "../progress/progress.ts";
import type { MachineSpec, Topology } from "../topology/topology.ts";
import type { LabSnapshot } from "./labSnapshot.ts";

/** Machines with a graphical console, by name, and what they boot from: an image with a desktop. */
export interface LabDesktops {
  readonly boot: BootFiles;
  readonly consoles: ReadonlyMap<string, GraphicalConsole>;
}

export interface LabOptions {
  readonly topology: Topology;
  /** The machines that are switched on, of the topology's; all of them by default. */
  readonly machines?: readonly string[];
  /** Config trees, lowest first: the system under test, and what is laid over it. */
  readonly trees: readonly string[];
  readonly boot: BootFiles;
  /** No machine has a graphical console unless given. Such a lab is booted: saved machines have no such devices. */
  readonly desktops?: LabDesktops;
  readonly keys: LabKeys;
  readonly accelerator: Accelerator;
  /** Folder for the lab's temporary files. */
  readonly folder: string;
  /** Folder for the consoles' output; kept. */
  readonly consoles: string;
  /** More files for a machine, beside the config trees' and the lab's own. */
  readonly extraFiles: (spec: MachineSpec) => readonly TreeEntry[];
  readonly progress: Progress;
  /** How long machines may take, instead of what is usual with the accelerator. */
  readonly patience?: BootPatience;
  /** The idle machines, saved, where a machine that is switched on again may be restored instead of booted; undefined when there are none to be had. */
  readonly savedIdle?: () => Promise<LabSnapshot | undefined>;
  readonly signal?: AbortSignal;
}

/** The lab's own files on a machine, which no config tree replaces. @throws RangeError when no host key was made for it. */
export function labsOwnFiles({ keys, extraFiles }: Pick<LabOptions, "keys" | "extraFiles">, spec: MachineSpec): TreeEntry[] {
  const { privateKey, publicKeyLine } = hostKeyOf(keys, spec.name);
  const machineKeys = { hostPrivateKey: privateKey, hostPublicKeyLine: publicKeyLine, clientPublicKeyLine: keys.clientPublicKeyLine };
  return [...labFiles(spec, machineKeys), ...extraFiles(spec)];
}

/** The SSH host key of a machine. @throws RangeError when none was made for it. */
export function hostKeyOf({ hostKeys }: LabKeys, name: string): LabKeys["hostKeys"][string] {
  const hostKey = hostKeys[name];
  if (hostKey === undefined) throw new RangeError(`no host key was made for ${name}`);
  return hostKey;
}
