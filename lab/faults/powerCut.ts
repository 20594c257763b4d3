import type { FaultRecord } from "../evidence/evidence.ts";
import type { Machine } from "../machine/machine.ts";
import { endInWords } from "../machine/processEnd.ts";

/** Cuts a machine's power: its VM ends by SIGKILL, in the middle of whatever it does. No daemon says goodbye. @throws Failure when the VM outlives it. */
export async function powerCut(machine: Machine): Promise<FaultRecord> {
  const wasOn = machine.isOn;
  const atMs = Date.now();
  const end = await machine.cutPower();
  const bit = wasOn && end.signal === "SIGKILL" && end.atMs >= atMs;
  return {
    id: "power-cut",
    target: machine.name,
    atMs,
    effect: {
      bit,
      measured: bit
        ? `QEMU of ${machine.name} (pid ${machine.pid}) ended by SIGKILL ${end.atMs - atMs} ms after the signal`
        : `QEMU of ${machine.name} (pid ${machine.pid}) ended by ${endInWords(end)}${wasOn ? "" : ", before the fault"}`,
      evidence: `consoles/${machine.name}.log`,
    },
  };
}
