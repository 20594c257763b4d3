import type { MachineShell } from "./shell.ts";

/**
 * Waits for Enter and becomes root's login shell, as a getty(8) that logs root in would, without its price: nothing but a small shell runs until then. Ctrl-S must not stop the
 * console: everything that writes to /dev/console would wait.
 */
const waiting = 'echo "$(hostname): Enter begins a shell of root" && read -r _; stty -ixon && exec bash -il';

const properties = [
  "DefaultDependencies=no",
  "User=root",
  "WorkingDirectory=~",
  ...["StandardInput=tty", "StandardOutput=tty", "StandardError=tty", "TTYPath=/dev/ttyS0", "TTYReset=yes"],
  ...["Restart=always", "RestartSec=500ms", "StartLimitIntervalSec=0", "KillMode=process", "SendSIGHUP=yes"],
];

/**
 * Lets root in at a machine's serial console, without a password, until the machine loses its power: nobody comes there but by a socket of the lab's own. Machines have it in a lab by
 * hand alone, once they are up: no boot waits for it, and what suites measure runs without it.
 * @throws Failure when systemd does not take it, as where it is already.
 */
export async function letRootInAtConsole(shell: MachineShell, signal?: AbortSignal): Promise<void> {
  const start = ["systemd-run", "--quiet", "--unit=fwlab-console", "--description='Serial console of the lab'", ...properties.map((property) => `--property=${property}`), "/bin/sh", "-c", `'${waiting}'`];
  await shell.must(start.join(" "), signal && { signal });
}
