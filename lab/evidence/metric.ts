import { z } from "zod";

/**
 * Figures of one failover that runs are compared by. More of any of them is worse. Times are in milliseconds after the fault, unless they say otherwise.
 */
export const metricIds = [
  /** The network's own outage. */
  "networkMs",
  /** Longest stall of a flow: TCP's back-off is in it. */
  "stallMs",
  /** Until the survivor forwarded in both directions: the firewall's part of the outage. */
  "firewallMs",
  /** Until the survivor was MASTER, in all instances. */
  "masterMs",
  /** Until it had all virtual addresses. */
  "addressUpMs",
  /** Until gratuitous ARP, or a neighbour advertisement, was seen for all of them. */
  "announcedMs",
  /** Until the replicated states were in its kernel. */
  "committedMs",
  /** From the first virtual address to the commit of the states; negative when the states were there first. */
  "windowMs",
  /** Packets of flows that the survivor dropped. */
  "dropped",
  /** How late a 100 ms timer of the host's woke, at worst: no figure of the pair, but of what it was measured with. */
  "hostDelayMs",
  /** How much later than set a trial struck, because the host had not done in time what comes before. */
  "strikeLateMs",
] as const;

export const metricSchema = z.enum(metricIds);

/** The figures of one failover. What was not measured is not there. */
export const figuresSchema = z.partialRecord(metricSchema, z.number());

export type Metric = z.infer<typeof metricSchema>;
export type Figures = z.infer<typeof figuresSchema>;
