import type { TreeEntry } from "./configTree.ts";
import { idleTargetLink, packedFiles } from "./machineFiles.ts";
import type { MachineShell } from "./shell.ts";

export interface LayTreeOptions {
  /** What the config trees give to this machine. */
  readonly tree: readonly TreeEntry[];
  /** The lab's own files, which no tree replaces. */
  readonly own: readonly TreeEntry[];
  readonly signal?: AbortSignal;
}

/** Gives a machine the host's time of day. @throws Failure when it does not answer. */
export async function setClock(shell: MachineShell, signal?: AbortSignal): Promise<void> {
  // The connection is made first: a handshake takes an emulated machine a second, by which the clock would be late.
  await shell.must("true", signal && { signal });
  await shell.must(`date --utc --set=@${(Date.now() / 1000).toFixed(3)} >/dev/null`, signal && { signal });
}

/**
 * Lays config trees on a machine that `idleFiles` kept idle, and starts the rest of an ordinary boot: systemd reads the units, and modules, sysctls,
 * interfaces and daemons come up in their usual order, as if the files had been there from the first. Returns when the start has begun; the console says when it is over.
 * @throws Failure when the files do not unpack or systemd does not take them.
 */
export async function layTree(shell: MachineShell, { tree, own, signal }: LayTreeOptions): Promise<void> {
  const ownPaths = new Set(own.map(({ path }) => path));
  const laid = tree.filter(({ path }) => !ownPaths.has(path));
  const holds = (prefix: string) => laid.some(({ path }) => path.startsWith(prefix));
  const commands = [
    // The initramfs unpacks with the same program, so that links and folders are treated alike.
    "busybox tar -x -p -f - -C /",
    `rm /${idleTargetLink}`,
    // What runs already has read its own configuration before the tree was there.
    holds("etc/systemd/system.conf") ? "systemctl daemon-reexec" : "systemctl daemon-reload",
    ...(holds("etc/systemd/journald.conf") ? ["systemctl restart systemd-journald.service"] : []),
    "systemctl --no-block start default.target",
  ];
  await shell.must(commands.join(" && "), { input: await packedFiles(laid), ...(signal && { signal }) });
}
