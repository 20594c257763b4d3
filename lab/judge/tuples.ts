import type { FlowLedger, Tuple } from "../evidence/ledger.ts";
import type { ConntrackEntry, ConntrackTuple } from "../evidence/observation.ts";
import { addressWithPort } from "../topology/address.ts";

/** The protocol on the wire of a flow's kind. */
export function protocolOf({ kind }: Pick<FlowLedger, "kind">): string {
  return kind === "udp" ? "udp" : "tcp";
}

/** A 4-tuple with its protocol, as people read it; the same text for the same tuple. */
export function tupleText(protocol: string, { source, destination }: Tuple): string {
  return `${protocol} ${addressWithPort(source.address, source.port)} > ${addressWithPort(destination.address, destination.port)}`;
}

export function reversed({ source, destination }: Tuple): Tuple {
  return { source: destination, destination: source };
}

/** A tuple of connection tracking, as text of the same form. */
export function conntrackText(protocol: string, { source, sourcePort, destination, destinationPort }: ConntrackTuple): string {
  return `${protocol} ${addressWithPort(source, sourcePort ?? "-")} > ${addressWithPort(destination, destinationPort ?? "-")}`;
}

/** Entries by original tuple. */
export function byOriginal(entries: readonly ConntrackEntry[]): ReadonlyMap<string, ConntrackEntry> {
  return new Map(entries.map((entry) => [conntrackText(entry.protocol, entry.original), entry]));
}

/**
 * What is wrong with the entry of a flow in a table or cache; undefined when nothing is.
 * A TCP flow must be ESTABLISHED; answers must have been seen; the reply tuple, where the table tells it, must be the reverse of what the server sees.
 * An offloaded entry of the kernel's table shows neither state nor ASSURED; only assured connections are offloaded (Linux net/netfilter/nft_flow_offload.c).
 */
export function entryFault(flow: Pick<FlowLedger, "kind" | "tuple" | "natTuple">, entries: ReadonlyMap<string, ConntrackEntry>, { assured }: { assured: boolean }): string | undefined {
  const protocol = protocolOf(flow);
  const entry = entries.get(tupleText(protocol, flow.tuple));
  if (entry === undefined) return "no entry";
  const offloaded = entry.flags.includes("OFFLOAD") || entry.flags.includes("HW_OFFLOAD");
  const state = entry.state ?? (offloaded ? "ESTABLISHED" : "none");
  if (protocol === "tcp" && state !== "ESTABLISHED") return `state ${state} instead of ESTABLISHED`;
  if (entry.flags.includes("UNREPLIED")) return "UNREPLIED";
  if (assured && !offloaded && !entry.flags.includes("ASSURED")) return "not ASSURED";
  if (entry.reply === undefined) return undefined;
  const reply = conntrackText(protocol, entry.reply);
  const expected = tupleText(protocol, reversed(flow.natTuple));
  return reply === expected ? undefined : `answers expected as ${reply} instead of ${expected}`;
}
