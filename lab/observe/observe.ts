import type { FirewallViews, ForwardingEntry, Look, Neighbour, Observation } from "../evidence/observation.ts";
import type { MachineShell } from "../machine/shell.ts";
import { parseAddresses } from "./addresses.ts";
import { parseCache, parseConntrack } from "./conntrack.ts";
import { parseConntrackStats } from "./conntrackStats.ts";
import { parseForwarding } from "./forwarding.ts";
import { parseKernelLog } from "./kernelLog.ts";
import { look, lookInto, type LookOptions } from "./look.ts";
import { parseNeighbours } from "./neighbours.ts";
import { parseDropCounters } from "./ruleset.ts";
import { parseVrrp, vrrpCommand } from "./vrrp.ts";

/**
 * Looks at a firewall: all views side by side. A view that the machine does not answer, or answers in a form that is not understood,
 * is a look that failed; it never reads as empty.
 * @throws whatever `save` throws, and the signal's reason when it aborts.
 */
export async function observeFirewall(shell: MachineShell, options: LookOptions): Promise<FirewallViews> {
  const view = <T>(name: string, command: string, parse: (text: string) => T) => look(shell, name, command, parse, options);
  const [addresses, vrrp, conntrack, internalCache, externalCache, conntrackStats, dropCounters, loggedPackets] = await Promise.all([
    view("addresses", "ip -j addr", parseAddresses),
    view("vrrp", vrrpCommand, parseVrrp),
    view("conntrack", "conntrack -L", parseConntrack),
    view("internalCache", "conntrackd -i", parseCache),
    view("externalCache", "conntrackd -e", parseCache),
    view("conntrackStats", "conntrack -S", parseConntrackStats),
    view("dropCounters", "nft -j list ruleset", parseDropCounters),
    view("loggedPackets", "dmesg", parseKernelLog),
  ]);
  return { addresses, vrrp, conntrack, internalCache, externalCache, conntrackStats, dropCounters, loggedPackets };
}

/** Looks at an endpoint's neighbours. @throws as observeFirewall. */
export function observeEndpoint(shell: MachineShell, options: LookOptions): Promise<Look<Neighbour[]>> {
  return look(shell, "neighbours", "ip -j neigh", parseNeighbours, options);
}

export interface ObserveOptions {
  /** `before` or `after`, with the transition's phase when a run has several: names the folder of the raw answers too. */
  readonly moment: string;
  /** Firewalls that are on. */
  readonly firewalls: readonly MachineShell[];
  readonly endpoints: readonly MachineShell[];
  readonly bridges: readonly string[];
  /** Runs `bridge -j fdb show br BRIDGE` where the bridges are; only lab/host may. */
  readonly readForwarding: (bridge: string, signal?: AbortSignal) => Promise<string>;
  /** Keeps a raw answer in the bundle. */
  readonly save: (relativePath: string, text: string) => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Everything looked at in one go: firewalls, endpoints and bridges, side by side.
 * Raw answers go to `observations/<moment>/<machine or bridge>/<view>.txt` by `save`.
 * @throws whatever `save` throws, and the signal's reason when it aborts. A machine that answers badly is a failed look.
 */
export async function observe({ moment, firewalls, endpoints, bridges, readForwarding, save, signal }: ObserveOptions): Promise<Observation> {
  const atMs = Date.now();
  const options: LookOptions = { label: moment, save, ...(signal && { signal }) };
  const [firewallViews, neighbours, forwarding] = await Promise.all([
    byName(firewalls, (shell) => shell.name, (shell) => observeFirewall(shell, options)),
    byName(endpoints, (shell) => shell.name, (shell) => observeEndpoint(shell, options)),
    byName(bridges, (bridge) => bridge, (bridge) => observeBridge(bridge, readForwarding, options)),
  ]);
  return { moment, atMs, firewalls: firewallViews, neighbours, forwarding };
}

function observeBridge(bridge: string, readForwarding: ObserveOptions["readForwarding"], options: LookOptions): Promise<Look<ForwardingEntry[]>> {
  return lookInto(bridge, "forwarding", async () => ({ raw: await readForwarding(bridge, options.signal) }), parseForwarding, options);
}

async function byName<T, V>(items: readonly T[], name: (item: T) => string, read: (item: T) => Promise<V>): Promise<Record<string, V>> {
  return Object.fromEntries(await Promise.all(items.map(async (item) => [name(item), await read(item)] as const)));
}
