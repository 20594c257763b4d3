import { z } from "zod";

/**
 * One read-only look at a machine or bridge. When the look failed, `error` says how, and no check may treat it as empty.
 * `source` is the bundle's file that holds the tool's raw answer. `atMs` is the host's epoch clock.
 */
export function lookSchema<T extends z.ZodType>(data: T) {
  return z.discriminatedUnion("ok", [
    z.object({ ok: z.literal(true), atMs: z.number(), source: z.string(), data }),
    z.object({ ok: z.literal(false), atMs: z.number(), source: z.string(), error: z.string() }),
  ]);
}

export const conntrackTupleSchema = z.object({
  source: z.string(),
  destination: z.string(),
  sourcePort: z.number().int().optional(),
  destinationPort: z.number().int().optional(),
});

/** An entry of the kernel's table (`conntrack -L`) or of a cache of conntrackd's (`-i`, `-e`). */
export const conntrackEntrySchema = z.object({
  protocol: z.string(),
  /** TCP state; absent for protocols without states. */
  state: z.string().optional(),
  /** Seconds left; conntrackd's caches do not say. */
  timeoutSeconds: z.number().int().optional(),
  original: conntrackTupleSchema,
  /** Absent in conntrackd's external cache: the peer sends the translation, and no reply tuple. */
  reply: conntrackTupleSchema.optional(),
  /** ASSURED, UNREPLIED, OFFLOAD, … */
  flags: z.array(z.string()),
  mark: z.number().int().optional(),
});

/** Counters of `conntrack -S`, summed over the processors. */
export const conntrackStatsSchema = z.record(z.string(), z.number().int());

export const addressSchema = z.object({ nic: z.string(), address: z.string(), prefixLength: z.number().int() });

/** One VRRP instance as keepalived's own JSON tells it. */
export const vrrpInstanceSchema = z.object({
  name: z.string(),
  nic: z.string(),
  state: z.string(),
  priority: z.number().int(),
  /** Its number on the wire, and the addresses that it moves. What an earlier fwlab recorded does not have them. */
  routerId: z.number().int().optional(),
  addresses: z.array(z.string()).optional(),
});

/** A counter in the ruleset that counts packets which the ruleset then drops or rejects. */
export const dropCounterSchema = z.object({
  rule: z.string(),
  packets: z.number().int(),
  bytes: z.number().int(),
  /** A place that drops and counts none of it, or counts other packets too, as the policy of a chain: its figures are zero and say nothing. */
  uncounted: z.literal(true).optional(),
});

/** A packet that the ruleset logged as dropped, from the kernel log. */
export const loggedPacketSchema = z.object({
  /** Seconds since the machine's boot. */
  uptimeSeconds: z.number(),
  prefix: z.string(),
  protocol: z.string(),
  inNic: z.string(),
  outNic: z.string(),
  source: z.string(),
  destination: z.string(),
  sourcePort: z.number().int().optional(),
  destinationPort: z.number().int().optional(),
  flags: z.array(z.string()),
});

export const neighbourSchema = z.object({ address: z.string(), nic: z.string(), mac: z.string().optional(), state: z.array(z.string()) });

/** Entry of a bridge's forwarding table: frames to `mac` leave by `port` (a tap). */
export const forwardingEntrySchema = z.object({ mac: z.string(), port: z.string() });

/** What is looked at on a firewall. Caches are conntrackd's. */
export const firewallViewsSchema = z.object({
  addresses: lookSchema(z.array(addressSchema)),
  vrrp: lookSchema(z.array(vrrpInstanceSchema)),
  conntrack: lookSchema(z.array(conntrackEntrySchema)),
  internalCache: lookSchema(z.array(conntrackEntrySchema)),
  externalCache: lookSchema(z.array(conntrackEntrySchema)),
  conntrackStats: lookSchema(conntrackStatsSchema),
  dropCounters: lookSchema(z.array(dropCounterSchema)),
  loggedPackets: lookSchema(z.array(loggedPacketSchema)),
});

/** Everything looked at in one go. A machine that is off is not in `firewalls`. */
export const observationSchema = z.object({
  /** Where in the run: `before` or `after` a transition. */
  moment: z.string(),
  atMs: z.number(),
  firewalls: z.record(z.string(), firewallViewsSchema),
  /** By endpoint. */
  neighbours: z.record(z.string(), lookSchema(z.array(neighbourSchema))),
  /** By bridge. */
  forwarding: z.record(z.string(), lookSchema(z.array(forwardingEntrySchema))),
});

export type Look<T> = { ok: true; atMs: number; source: string; data: T } | { ok: false; atMs: number; source: string; error: string };
export type ConntrackTuple = z.infer<typeof conntrackTupleSchema>;
export type ConntrackEntry = z.infer<typeof conntrackEntrySchema>;
export type ConntrackStats = z.infer<typeof conntrackStatsSchema>;
export type Address = z.infer<typeof addressSchema>;
export type VrrpInstance = z.infer<typeof vrrpInstanceSchema>;
export type DropCounter = z.infer<typeof dropCounterSchema>;
export type LoggedPacket = z.infer<typeof loggedPacketSchema>;
export type Neighbour = z.infer<typeof neighbourSchema>;
export type ForwardingEntry = z.infer<typeof forwardingEntrySchema>;
export type FirewallViews = z.infer<typeof firewallViewsSchema>;
export type Observation = z.infer<typeof observationSchema>;
