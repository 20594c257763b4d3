import { existsSync } from "node:fs";
import { execa } from "execa";
import { z } from "zod";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { managementBridge, tapName, type Topology } from "../topology/topology.ts";
import { insideNamespaces } from "./namespaces.ts";

/** Runs a list of ip(8) commands as one batch. @throws Failure naming the batch and ip's complaint. */
async function ipBatch(tried: string, commands: readonly string[], signal?: AbortSignal): Promise<void> {
  try {
    await execa("ip", ["-batch", "-"], { input: `${commands.join("\n")}\n`, ...(signal && { cancelSignal: signal }) });
  } catch (error) {
    throw new Failure({
      tried,
      seen: messageOf(error),
      remedy: "The host's kernel needs the bridge and tun modules, and /dev/net/tun must open for this user",
      exit: exitCode.usage,
      cause: error,
    });
  }
}

/** The host's own ends get no IPv6 addresses: with them, it would ask the firewalls for routers. A kernel without IPv6 gives none anyway. */
function withoutIpv6(link: string): string[] {
  return existsSync("/proc/net/if_inet6") ? [`link set ${link} addrgenmode none`] : [];
}

/**
 * Makes a topology's bridges, and a tap for each NIC plugged into its bridge, in the network namespace of this process.
 * Bridges forward at once (no spanning tree) and flood multicast as an unmanaged switch does. The host itself has an address on the
 * management bridge only. @throws Failure outside of a lab's namespaces, where nothing is made, or when the kernel refuses.
 */
export async function createBridges(topology: Topology, signal?: AbortSignal): Promise<void> {
  if (!insideNamespaces()) {
    throw new Failure({
      tried: `make the bridges of ${topology.name}`,
      seen: "this process is in the host's own network",
      remedy: "Start it by npm start, npm test or another of fwlab's commands: they enter namespaces first",
      exit: exitCode.usage,
    });
  }
  const commands = topology.bridges.flatMap((bridge) => [
    `link add ${bridge} ${bridge === managementBridge ? `address ${topology.managementMac} ` : ""}type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    ...withoutIpv6(bridge),
    `link set ${bridge} up`,
  ]);
  for (const machine of topology.machines) {
    for (const nic of machine.nics) {
      const tap = tapName(machine, nic);
      commands.push(`tuntap add dev ${tap} mode tap`, `link set ${tap} master ${nic.bridge}`, ...withoutIpv6(tap), `link set ${tap} up`);
    }
  }
  commands.push(`addr add ${topology.managementAddress} dev ${managementBridge}`);
  await ipBatch(`make the bridges and taps of ${topology.name}`, commands, signal);
}

/** Takes a topology's taps and bridges away again, for the next lab in this namespace. @throws Failure when the kernel refuses. */
export async function removeBridges(topology: Topology): Promise<void> {
  const taps = topology.machines.flatMap((machine) => machine.nics.map((nic) => `link del ${tapName(machine, nic)}`));
  const bridges = topology.bridges.map((bridge) => `link del ${bridge}`);
  await ipBatch(`remove the bridges and taps of ${topology.name}`, [...taps, ...bridges]);
}

/** A bridge's forwarding table as `bridge -j fdb show` prints it. @throws ExecaError when the bridge is not there. */
export async function forwardingTable(bridge: string, signal?: AbortSignal): Promise<string> {
  const { stdout } = await execa("bridge", ["-j", "fdb", "show", "br", bridge], signal ? { cancelSignal: signal } : {});
  return stdout;
}

/** Where a bridge has learned a MAC address to be. */
export const learnedAddressSchema = z.object({ bridge: z.string(), mac: z.string(), tap: z.string() });
export type LearnedAddress = z.infer<typeof learnedAddressSchema>;

const forwardingSchema = z.array(z.object({ mac: z.string(), ifname: z.string(), state: z.string().optional() }));

/** What a topology's bridges have learned from frames. @throws ExecaError when a bridge is not there, ZodError when bridge(8) answers in another form. */
export async function learnedAddresses(topology: Topology): Promise<LearnedAddress[]> {
  const tables = await Promise.all(
    topology.bridges.map(async (bridge) => {
      const entries = forwardingSchema.parse(JSON.parse(await forwardingTable(bridge)));
      return entries.filter(({ state }) => state !== "permanent").map(({ mac, ifname }) => ({ bridge, mac, tap: ifname }));
    }),
  );
  return tables.flat();
}

/**
 * Tells bridges what they had learned, as if they had learned it now: a bridge that knows nothing floods, and hides that an announcement is
 * missing. @throws Failure when the kernel refuses.
 */
export async function teachBridges(learned: readonly LearnedAddress[], signal?: AbortSignal): Promise<void> {
  const commands = learned.map(({ mac, tap }) => `fdb replace ${mac} dev ${tap} master dynamic`);
  try {
    await execa("bridge", ["-batch", "-"], { input: `${commands.join("\n")}\n`, ...(signal && { cancelSignal: signal }) });
  } catch (error) {
    throw new Failure({
      tried: "give the bridges their forwarding tables back",
      seen: messageOf(error),
      remedy: "The taps must be there, and bridge(8) of iproute2",
      exit: exitCode.invalid,
      cause: error,
    });
  }
}
