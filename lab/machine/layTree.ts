import type { TreeEntry } from "./configTree.ts";
import { idleTarget, idleTargetLink, packedFiles } from "./machineFiles.ts";
import type { MachineShell } from "./shell.ts";

/** What lays config trees on a machine: command lines for its shell, one after the other, and the archive for the first one's standard input. */
export interface Laying {
  readonly unpack: string;
  readonly archive: Buffer;
  /** The first process takes in what it reads before any unit. */
  readonly read: string;
  readonly start: string;
}

/** A command line that gives a machine the host's time of day as it is now. */
function clockCommand(): string {
  return `date --utc --set=@${(Date.now() / 1000).toFixed(3)} >/dev/null`;
}

/** Gives a machine the host's time of day; late by a handshake when it has no connection yet. @throws Failure when it does not answer. */
export async function setClock(shell: MachineShell, signal?: AbortSignal): Promise<void> {
  await shell.must(clockCommand(), signal && { signal });
}

/** Of its own configuration systemd's first process applies some parts only when it is executed: capabilities, timer slack. */
const configuresFirstProcess = /(?:^|\/)systemd\/system\.conf(?:\.d\/|$)/u;

/** The initramfs unpacks with the same program, so that links and folders are treated alike. */
const unpackCommand = "busybox tar -x -p -f - -C /";

/** Options, blacklists and commands for modules. */
const saysOfModules = /(?:^|\/)modprobe\.d\//u;

/**
 * Modules that systemd's first process loads before any unit, of those that the image has: nobody uses them yet, so that they can be loaded
 * again, as the tree says. Source: systemd 252 src/core/kmod-setup.c.
 */
const modulesOfFirstProcess = ["ip_tables", "qemu_fw_cfg"];

/**
 * Lays config trees on a machine that `idleFiles` kept idle, and starts the rest of an ordinary boot: systemd reads the units, and modules, sysctls,
 * interfaces and daemons come up in their usual order, as if the files had been there from the first. The time of day is the host's. Returns when
 * the start has begun; the console says when it is over. Nothing of the idle state is left.
 * @throws Failure when the files do not unpack or systemd does not take them.
 */
export async function layTree(shell: MachineShell, { unpack, read, start, archive }: Laying, signal?: AbortSignal): Promise<void> {
  await shell.must(`${clockCommand()} && ${unpack} && ${read} && ${start}`, { input: archive, ...(signal && { signal }) });
}

/** Of `layTree` the files alone: the time of day is right, and nobody has read them. @throws Failure when they do not unpack. */
export async function unpackTree(shell: MachineShell, { unpack, archive }: Laying, signal?: AbortSignal): Promise<void> {
  await shell.must(`${clockCommand()} && ${unpack}`, { input: archive, ...(signal && { signal }) });
}

/** Of `layTree` all but the start: the files are there, systemd has read its units, and none of them has been started. @throws Failure when the files do not unpack, or systemd does not take them. */
export async function readTree(shell: MachineShell, { unpack, read, archive }: Laying, signal?: AbortSignal): Promise<void> {
  await shell.must(`${clockCommand()} && ${unpack} && ${read}`, { input: archive, ...(signal && { signal }) });
}

/** What `readTree` left to do, whenever it may be: the time of day is set again. @throws Failure when systemd does not begin. */
export async function startTree(shell: MachineShell, { start }: Laying, signal?: AbortSignal): Promise<void> {
  await shell.must(`${clockCommand()} && ${start}`, signal && { signal });
}

/**
 * How config trees are laid on a machine.
 * @param tree what the config trees give to this machine.
 * @param own the lab's own files, which no tree replaces.
 */
export async function laying(tree: readonly TreeEntry[], own: readonly TreeEntry[]): Promise<Laying> {
  const laid = withoutOwn(tree, own);
  const holds = (pattern: RegExp) => laid.some(({ path }) => pattern.test(path));
  const read = [
    `rm /${idleTargetLink}`,
    ...(holds(saysOfModules) ? modulesOfFirstProcess.flatMap((name) => [`modprobe --remove ${name}`, `modprobe --quiet --use-blacklist ${name}`]) : []),
    holds(configuresFirstProcess) ? "systemctl daemon-reexec" : "systemctl daemon-reload",
  ];
  const start = [
    "systemctl --no-block start default.target",
    // systemd has read it, and forgets it when it stops.
    `rm /${idleTarget}`,
  ];
  return { unpack: unpackCommand, archive: await packedFiles(laid), read: read.join(" && "), start: start.join(" && ") };
}

function withoutOwn(tree: readonly TreeEntry[], own: readonly TreeEntry[]): TreeEntry[] {
  const ownPaths = new Set(own.map(({ path }) => path));
  return tree.filter(({ path }) => !ownPaths.has(path));
}
