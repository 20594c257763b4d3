import { parseAddresses } from "../observe/addresses.ts";
import type { Progress } from "../progress/progress.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import type { Lab } from "./lab.ts";
import { waitUntil, type Waited } from "./waitUntil.ts";

export interface AddressesHomeOptions {
  readonly topology: SandwichTopology;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

const homeWithinMs = 60_000;

/** Whether a firewall has somebody to take its addresses over: without keepalived none of them ever moves. @throws Failure when it does not answer. */
export async function hasSubstitute(lab: Lab, firewall: string, signal?: AbortSignal): Promise<boolean> {
  const { exitCode } = await lab.machine(firewall).shell.run("systemctl is-active --quiet keepalived", { ...(signal && { signal }) });
  return exitCode === 0;
}

/** Waits until each address that VRRP may move is on the firewall whose it is, and nowhere else. @throws Failure when a firewall does not answer; the signal's reason. */
export function addressesHome(lab: Lab, { topology, progress, signal }: AddressesHomeOptions): Promise<Waited<undefined>> {
  return waitUntil({
    what: "each address that moves to be at home",
    look: async () => {
      const held = await Promise.all(
        topology.firewalls.map(async (name) => {
          const addresses = parseAddresses(await lab.machine(name).shell.must("ip -j addr", { ...(signal && { signal }) }));
          return [name, addresses.map(({ address }) => address).filter((address) => topology.homes.has(address))] as const;
        }),
      );
      const reached = held.every(([name, addresses]) => [...topology.homes].every(([address, home]) => addresses.includes(address) === (home === name)));
      return { reached, seen: held.map(([name, addresses]) => `${name} holds ${addresses.join(" and ") || "none"}`).join(", "), value: undefined };
    },
    within: homeWithinMs,
    progress,
    ...(signal && { signal }),
  });
}

/** Lets a sandwich whose config trees were just laid come to rest, so that whoever restores it need not wait for it. @throws as addressesHome. */
export async function comeToRest(lab: Lab, options: AddressesHomeOptions): Promise<void> {
  const { topology: { firewalls }, signal } = options;
  const substitutes = await Promise.all(firewalls.map((name) => hasSubstitute(lab, name, signal)));
  if (substitutes.every(Boolean)) await addressesHome(lab, options);
}
