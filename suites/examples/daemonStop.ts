import type { FaultRecord } from "../../lab/evidence/evidence.ts";
import type { MachineShell } from "../../lab/machine/shell.ts";
import { quoted } from "../../lab/machine/quoted.ts";

/** Stops a service as an administrator does: it may say goodbye. @throws Failure when the machine does not answer. */
export async function daemonStop(shell: MachineShell, unit: string, signal: AbortSignal): Promise<FaultRecord> {
  const atMs = Date.now();
  await shell.must(`systemctl stop ${quoted(unit)}`, { signal });
  const { stdout } = await shell.run(`systemctl is-active ${quoted(unit)}`, { signal });
  const state = stdout.trim();
  return {
    id: "daemon-stop",
    target: shell.name,
    atMs,
    effect: { bit: state === "inactive", measured: `${unit} of ${shell.name} is ${state} ${Date.now() - atMs} ms after it was told to stop`, evidence: "journals" },
  };
}
