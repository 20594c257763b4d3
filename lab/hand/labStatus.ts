import type { MachineShell } from "../machine/shell.ts";
import { together } from "../machine/together.ts";
import { parseAddresses } from "../observe/addresses.ts";
import { injectsStates, parseConntrackdStats } from "../observe/conntrackd.ts";
import { parseVrrp, vrrpCommand } from "../observe/vrrp.ts";
import type { Lab } from "../run/lab.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { isPair, managementAddressOf, type PairTopology } from "../topology/topology.ts";
import type { StatusMachine } from "./words.ts";

/** A machine that hangs must not hold the others' answers back. */
const answersWithinMs = 10_000;

/** The addresses that VRRP moves in a topology. */
export function movedAddresses(topology: PairTopology | SandwichTopology): readonly string[] {
  return isPair(topology) ? topology.virtualAddresses.map(({ address }) => address) : [...topology.homes.keys()];
}

/** Every machine as it is now; what does not answer within 10 s is told as such. @throws the signal's reason. */
export async function machinesNow(lab: Lab, topology: PairTopology | SandwichTopology, signal: AbortSignal): Promise<StatusMachine[]> {
  return Promise.all(
    topology.machines.map(async (spec): Promise<StatusMachine> => {
      const machine = lab.machine(spec.name);
      const state = lab.isUp(spec.name) ? "up" : machine.isOn ? "coming up" : "off";
      const told = { name: spec.name, role: spec.role, state, address: managementAddressOf(spec) } as const;
      return spec.role === "firewall" && state === "up" ? { ...told, firewall: await firewallNow(machine.shell, movedAddresses(topology), signal) } : told;
    }),
  );
}

async function firewallNow(own: MachineShell, moved: readonly string[], signal: AbortSignal): Promise<StatusMachine["firewall"]> {
  const shell = together(own);
  const within = AbortSignal.any([signal, AbortSignal.timeout(answersWithinMs)]);
  const asked = (command: string) => shell.run(command, { signal: within });
  try {
    const [addresses, vrrp, entries, replication] = await Promise.all([asked("ip -j addr"), asked(vrrpCommand), asked("conntrack -C"), asked("conntrackd -s")]);
    const held = new Set(parseAddresses(addresses.stdout).map(({ address }) => address));
    return {
      holds: moved.filter((address) => held.has(address)),
      vrrp: vrrp.exitCode === 0 ? parseVrrp(vrrp.stdout).map((each) => ({ name: each.name, state: each.state, priority: each.priority })) : null,
      conntrackEntries: entries.exitCode === 0 ? Number(entries.stdout.trim()) : null,
      replication: replication.exitCode === 0 ? replicationOf(replication.stdout) : null,
    };
  } catch {
    // Whoever looks at a lab by hand has perhaps just broken this machine: it is told as one that does not answer.
    signal.throwIfAborted();
    return null;
  }
}

function replicationOf(stats: string): NonNullable<NonNullable<StatusMachine["firewall"]>["replication"]> | null {
  if (injectsStates(stats)) return null;
  const { internal, external, lost, malformed } = parseConntrackdStats(stats);
  return { internal: internal.entries, external: external.entries, lost, malformed };
}
