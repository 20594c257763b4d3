import type { SandwichTopology } from "../topology/sandwich.ts";
import { tcp, type FlowSpec } from "../traffic/flowSpec.ts";
import type { LoadOrder } from "./order.ts";

export interface SandwichLoadOptions {
  /** Clients that hold one connection open, and clients that open one for each request. */
  readonly held: number;
  readonly others: number;
  /** Milliseconds from one request of a client's to its next. */
  readonly pauseMs: number;
  /** Milliseconds after which a request counts as lost: by then an outage in bound is over, unless another time is given. */
  readonly timeoutMs?: number;
}

/** The servers' addresses that are asked, the last parts of them in each of their networks. */
const answering = [130, 131];

/** Most clients that there are addresses for, the flows' own left out. */
export const mostClients = 199 * 250;

/**
 * What a sandwich's clients ask, each from an address of its own in 172.20.0.0 to 172.20.198.255.
 * @throws RangeError when there are more clients than addresses.
 */
export function sandwichLoad({ servers }: SandwichTopology, { held, others, pauseMs, timeoutMs = 15_000 }: SandwichLoadOptions): LoadOrder {
  if (held + others > mostClients) throw new RangeError(`${held + others} clients: there are addresses for ${mostClients}`);
  return {
    clients: Array.from({ length: held + others }, (_, index) => `172.20.${Math.floor(index / 250)}.${1 + (index % 250)}`),
    held,
    servers: servers.flatMap(({ networks }) => networks.flatMap((network) => answering.map((last) => network.replace(/\d+\/\d+$/u, String(last))))),
    port: 80,
    pauseMs,
    bytes: 2_000,
    timeoutMs,
  };
}

/** A steady flow's pace: what is spared must not stand still for twice as long. */
const paceMs = 1_000;

/** Most flows, each of which has an address of its own. */
export const mostFlows = 250;

/** TCP flows with ledgers from 172.20.200.0/24 to the first servers' host, in all modes by turns. @throws RangeError for more than `mostFlows`. */
export function sandwichFlows({ servers }: SandwichTopology, count: number): FlowSpec[] {
  if (count > mostFlows) throw new RangeError(`${count} flows: there are addresses for ${mostFlows}`);
  const [server] = servers;
  const modes = ["client", "server", "both", "idle"] as const;
  return Array.from({ length: count }, (_, index) => ({
    ...tcp(`${server?.name ?? ""}:80`, { mode: modes[Math.floor(index / 2) % modes.length] ?? "both", intervalMs: paceMs }),
    source: `172.20.200.${1 + index}`,
  }));
}
