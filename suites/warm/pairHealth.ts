import { z } from "zod";
import type { Neighbour } from "../../lab/evidence/observation.ts";
import { learnedAddresses, type LearnedAddress } from "../../lab/host/bridges.ts";
import type { MachineShell } from "../../lab/machine/shell.ts";
import { parseConntrackdStats, type ConntrackdHealth } from "../../lab/observe/conntrackd.ts";
import { parseNeighbours } from "../../lab/observe/neighbours.ts";
import { vrrpCommand } from "../../lab/observe/vrrp.ts";
import type { LabRun } from "../../lab/run/labRun.ts";

/** keepalived's own counts. Source: keepalived 2.2.7 keepalived/vrrp/vrrp_json.c. */
const vrrpSchema = z.array(
  z.object({
    data: z.object({ iname: z.string(), state: z.number() }),
    stats: z.object({ advert_rcvd: z.number(), advert_sent: z.number(), become_master: z.number(), release_master: z.number() }),
  }),
);

/** What a firewall's daemons say of themselves. */
export interface FirewallHealth {
  readonly vrrp: z.infer<typeof vrrpSchema>;
  readonly conntrackd: ConntrackdHealth;
}

/** A machine's time of day against the host's, in milliseconds, and how far off the measurement may be. */
export interface ClockReading {
  readonly aheadMs: number;
  readonly errorMs: number;
}

/** A lab's daemons, tables and clocks at one moment. */
export interface PairHealth {
  readonly firewalls: Readonly<Record<string, FirewallHealth>>;
  readonly neighbours: Readonly<Record<string, readonly Neighbour[]>>;
  readonly learned: readonly LearnedAddress[];
  readonly clocks: Readonly<Record<string, ClockReading>>;
}

/** Looks at a running lab. @throws Failure when a machine does not answer, or in another form. */
export async function pairHealth({ lab, topology, signal }: LabRun): Promise<PairHealth> {
  const of = async <T>(role: "endpoint" | "firewall" | undefined, read: (shell: MachineShell) => Promise<T>): Promise<Record<string, T>> => {
    const names = topology.machines.filter((spec) => role === undefined || spec.role === role).map(({ name }) => name);
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(lab.machine(name).shell)] as const)));
  };
  const clocks = await of(undefined, (shell) => readClock(shell, signal));
  const firewalls = await of("firewall", async (shell) => ({
    vrrp: vrrpSchema.parse(JSON.parse(await shell.must(vrrpCommand, { signal }))),
    conntrackd: parseConntrackdStats(await shell.must("conntrackd -s", { signal })),
  }));
  const neighbours = await of("endpoint", async (shell) => parseNeighbours(await shell.must("ip -j neigh", { signal })));
  return { firewalls, neighbours, learned: await learnedAddresses(topology), clocks };
}

async function readClock(shell: MachineShell, signal: AbortSignal): Promise<ClockReading> {
  const askedMs = Date.now();
  const told = Number(await shell.must("date +%s.%N", { signal }));
  const answeredMs = Date.now();
  return { aheadMs: told * 1000 - (askedMs + answeredMs) / 2, errorMs: (answeredMs - askedMs) / 2 };
}
