import { clientKeyFile } from "../lab/image/keys.ts";
import { controlPort } from "../lab/machine/machineFiles.ts";
import type { TerminalProgress } from "../lab/progress/terminal.ts";
import { managementAddressOf, type Topology } from "../lab/topology/topology.ts";

/** The command lines that lead into a lab that a verb has brought up, from another terminal. */
export function waysIn({ machines }: Topology, verb: string): string[] {
  return [
    "its namespaces are entered from another terminal:",
    `  nsenter --all --target "$(pgrep -nf 'fwlab.ts ${verb}')"`,
    ...machines.map((spec) => `  ssh -p ${controlPort} -i ${clientKeyFile()} root@${managementAddressOf(spec)}  # ${spec.name}`),
  ];
}

/** Leaves the lab as it is until the user has seen enough: an interruption then ends the run as it would have ended. */
export async function keepUp(topology: Topology, progress: TerminalProgress, signal: AbortSignal): Promise<void> {
  progress.note(["the lab is up until Ctrl-C", ...waysIn(topology, "start")].join("\n"));
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
