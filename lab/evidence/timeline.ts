import { z } from "zod";

const count = z.number().int().min(0);
const directionSchema = z.enum(["forward", "reverse"]);

/** The phases of a failover, in the order in which they usually begin. */
export const timelineStepSchema = z.enum([
  /** Last VRRP advert of the firewall that had the duty; subject: bridge. */
  "last-advert",
  /** First advert of the survivor, which is its change to MASTER (RFC 5798, 6.4.2); subject: bridge. */
  "first-advert",
  /** The survivor's own word that it is MASTER; subject: VRRP instance. */
  "master",
  /** The survivor has a virtual address; subject: address. */
  "address-up",
  /** First gratuitous ARP (over IPv6: neighbour advertisement) for a virtual address that leads to the survivor; subject: bridge. */
  "announced",
  /** The bridge leads frames for a virtual address to the survivor; subject: bridge. */
  "forwarding-moved",
  /** The replicated states are in the survivor's kernel; subject: the survivor. */
  "committed",
  /** First packet of a flow that went in and out of the survivor; subject: `forward` or `reverse`. */
  "first-forwarded",
  /** The last flow that resumed moves again; subject: flow. */
  "last-flow-moves",
]);

export const timelineMomentSchema = z.object({
  step: timelineStepSchema,
  subject: z.string(),
  /** Host's epoch clock; null when it was not seen. */
  atMs: z.number().nullable(),
  /** By how much `atMs` may be wrong: 0 for what the host's own clock timed. */
  errorMs: z.number().min(0),
  /** What was seen, or why nothing was. */
  detail: z.string(),
  /** File of the bundle. */
  evidence: z.string(),
});

/** Packets of flows that met the survivor when it had the addresses and not yet the states. */
export const statelessWindowSchema = z.object({
  fromMs: z.number(),
  untilMs: z.number(),
  /** Negative when the states were there first. */
  lengthMs: z.number(),
  errorMs: z.number().min(0),
  /** Null without a capture. `answered`: with a TCP reset or an ICMP error of the survivor's own. */
  packets: z.object({ entered: count, forwarded: count, dropped: count, answered: count }).nullable(),
});

/** How a flow's stall divides: until the survivor forwarded in its direction, and from then on TCP's own back-off (or the flow's pace). */
export const flowResumptionSchema = z.object({
  id: z.string(),
  direction: directionSchema,
  /** Last record before the stall, and first after it, at the receiver; null when there was none. */
  lastAtMs: z.number().nullable(),
  resumedAtMs: z.number().nullable(),
  /** Parts of the stall, in milliseconds; null when it cannot be divided. */
  firewallMs: z.number().nullable(),
  backoffMs: z.number().nullable(),
});

/** What happened in one transition, and when. */
export const timelineSchema = z.object({
  phase: z.enum(["failover", "failback"]),
  from: z.string(),
  to: z.string(),
  faultAtMs: z.number(),
  moments: z.array(timelineMomentSchema),
  window: statelessWindowSchema.nullable(),
  /**
   * The firewalls' part of the outage: until the survivor forwarded, the longer of both ways; since the fault, or in a failback since the last packet
   * that the other let through.
   */
  firewallMs: z.number().nullable(),
  flows: z.array(flowResumptionSchema),
});

/** Packets of one flow and direction that the survivor took in and did not let out. */
export const flowDropsSchema = z.object({
  id: z.string(),
  direction: directionSchema,
  /** `before` the fault, in the `outage` (until the flow moved again in this direction), or `after` it. */
  moment: z.enum(["before", "outage", "after"]),
  packets: z.number().int().positive(),
  firstAtMs: z.number(),
});

/** What the survivor did with the packets of flows, by the taps alone. */
export const dropsSchema = z.object({
  phase: z.enum(["failover", "failback"]),
  firewall: z.string(),
  /** Packets of flows that went in, those of them that came out by another tap, and those that never did. */
  entered: count,
  forwarded: count,
  dropped: count,
  /** Of the dropped, those that came out so late that they had been queued and not forwarded. */
  late: count.optional(),
  /** Of the forwarded, those that came out with a tuple that is not their flow's: the translation was lost. */
  changed: count.optional(),
  /** Packets beyond these that went in so shortly before the capture ended that nothing can be said of them. */
  open: count.optional(),
  flows: z.array(flowDropsSchema),
  /** TCP resets and ICMP errors into flows that the firewall made itself. */
  answered: z.array(z.object({ id: z.string(), direction: directionSchema, what: z.string(), packets: z.number().int().positive(), firstAtMs: z.number() })),
  /** The same packets by the ruleset's counters and the kernel log; null where they tell nothing. */
  ruleset: z.object({ counted: count.nullable(), logged: count, loggedOfFlows: count }).nullable(),
  /** In what the taps and the ruleset contradict each other; null when they do not, or nothing is to be compared. */
  disagreement: z.string().nullable(),
});

export type TimelineStep = z.infer<typeof timelineStepSchema>;
export type TimelineMoment = z.infer<typeof timelineMomentSchema>;
export type StatelessWindow = z.infer<typeof statelessWindowSchema>;
export type FlowResumption = z.infer<typeof flowResumptionSchema>;
export type Timeline = z.infer<typeof timelineSchema>;
export type FlowDrops = z.infer<typeof flowDropsSchema>;
export type Drops = z.infer<typeof dropsSchema>;
