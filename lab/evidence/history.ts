import { z } from "zod";
import { metricSchema } from "./metric.ts";
import { runSchema, verdictSchema } from "./run.ts";

const count = z.number().int().min(0);

/** Number of the form of a line of `history.jsonl`. Raised when a reader of the old form would misread the new one. */
export const historyVersion = 1;

/** A line of `history.jsonl`: a run, or trials as a whole, in the figures that nights are compared by. */
export const historyEntrySchema = z.object({
  schema: z.literal(historyVersion),
  id: z.string(),
  kind: z.enum(["run", "trials"]),
  /** When it began, as ISO 8601 in UTC. */
  at: z.iso.datetime(),
  verdict: verdictSchema,
  reason: z.string(),
  /** Its folder, relative to the folder of the history. */
  folder: z.string(),
  topology: z.string(),
  /** Trees inside the project by their path in it, others by their name alone. */
  config: runSchema.shape.config,
  fault: z.object({ id: z.string(), target: z.string() }),
  host: runSchema.shape.host.omit({ accelReason: true }),
  /** How many flows live in one failover, and how many of each kind where that is known. */
  flows: z.object({ total: count, tcp: count.optional(), udp: count.optional(), ssh: count.optional() }),
  /** Failovers by verdict: a run is one. */
  counts: z.object({ pass: count, fail: count, invalid: count }),
  /** Over the valid failovers. */
  survived: z.object({ survived: count, of: count }),
  /** In how many valid failovers a check failed, by the check's id. */
  failedChecks: z.record(z.string(), count),
  /** What was measured: a number a valid failover, in their order. Failovers in which a flow never resumed have no outage that ends. */
  samples: z.partialRecord(metricSchema, z.array(z.number())),
});

/** `baselines.json`: runs and trials with a name. Their figures are kept here, so that they outlive their bundles. */
export const baselinesSchema = z.object({
  schema: z.literal(1),
  baselines: z.record(z.string(), z.object({ namedAt: z.iso.datetime(), entries: z.array(historyEntrySchema).min(1) })),
});

export type HistoryEntry = z.infer<typeof historyEntrySchema>;
export type Baselines = z.infer<typeof baselinesSchema>;
export type Samples = HistoryEntry["samples"];
