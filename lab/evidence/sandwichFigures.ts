import { z } from "zod";

/** One stretch of a sandwich's run, in figures: the load, and by whom it went. */
export const stretchSchema = z.object({
  /** `before`, `failover`, `between`, `failback`, `after`; of an act in which nothing was broken, the act's name. */
  name: z.string(),
  /** Host's epoch clock, milliseconds. */
  fromMs: z.number(),
  untilMs: z.number(),
  /** Requests that were asked in it, and those of them that were not answered as they should have been. */
  requests: z.int(),
  failed: z.int(),
  perSecond: z.number(),
  /** How long the answers took, in milliseconds; null without requests. */
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  /** By firewall, from the capture; empty without one. */
  carried: z.record(z.string(), z.object({ connections: z.int(), packets: z.int() })),
});

export type Stretch = z.infer<typeof stretchSchema>;
