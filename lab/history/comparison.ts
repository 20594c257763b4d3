import { z } from "zod";
import { metricSchema } from "../evidence/metric.ts";
import { verdictSchema } from "../evidence/run.ts";

const count = z.number().int().min(0);
const side = z.object({ base: z.string(), new: z.string() });

export const changeVerdictSchema = z.enum(["worse", "better", "unchanged", "cannot-be-told"]);

/** One of the two that are compared. */
export const subjectSummarySchema = z.object({
  /** As it was asked for. */
  name: z.string(),
  /** Ids of the runs and trials whose figures are pooled. */
  ids: z.array(z.string()).min(1),
  verdicts: z.array(verdictSchema),
  /** Failovers by verdict. */
  counts: z.object({ pass: count, fail: count, invalid: count }),
  survived: z.object({ survived: count, of: count }),
});

/** Something beside the pair's own doing that is not the same on both sides. */
export const changedSchema = side.extend({
  what: z.enum(["config", "guest-kernel", "qemu", "accelerator", "cores", "flows", "kind", "host-noise"]),
  /** Whether it is what times are measured with, so that no shift can be blamed on the pair. */
  confounds: z.boolean(),
  /** Of host noise: by how much later the host was, in milliseconds. Times that got worse by no more are not blamed on the pair. */
  lateByMs: z.number().optional(),
  /** Files that differ, where both trees are still there. */
  files: z.array(z.string()).optional(),
});

export const metricChangeSchema = z.object({
  metric: metricSchema,
  name: z.string(),
  unit: z.enum(["ms", "packets"]),
  family: z.enum(["outcome", "phase", "host"]),
  base: z.object({ n: count, median: z.number().nullable() }),
  new: z.object({ n: count, median: z.number().nullable() }),
  /** Hodges and Lehmann's, in the metric's unit and in percent of the base's median. */
  shift: z.number().nullable(),
  shiftPercent: z.number().nullable(),
  /** Cliff's delta. */
  effect: z.number().min(-1).max(1).nullable(),
  p: z.number().min(0).max(1).nullable(),
  /** Corrected for the number of metrics in the family (Holm). */
  adjustedP: z.number().min(0).max(1).nullable(),
  verdict: changeVerdictSchema,
  /** Why, in one line. */
  why: z.string(),
});

export const checkChangeSchema = z.object({
  id: z.string(),
  base: z.object({ failed: count, of: count }),
  new: z.object({ failed: count, of: count }),
  p: z.number().min(0).max(1),
  verdict: changeVerdictSchema,
  why: z.string(),
});

/** What `fwlab compare --json` writes. Fields are only ever added within one `schema` number. */
export const comparisonSchema = z.object({
  schema: z.literal(1),
  /** Whether something got worse that is to be blamed on what was tested. Exit code 1 then, else 0. */
  regression: z.boolean(),
  /** In one line. */
  reason: z.string(),
  topology: z.string(),
  fault: z.object({ id: z.string(), target: z.string() }),
  base: subjectSummarySchema,
  new: subjectSummarySchema,
  changed: z.array(changedSchema),
  metrics: z.array(metricChangeSchema),
  checks: z.array(checkChangeSchema),
  /** What a shift has to be, so that it is called one. */
  thresholds: z.object({ alpha: z.number(), effect: z.number(), percent: z.number(), floors: z.partialRecord(metricSchema, z.number()) }),
});

export type ChangeVerdict = z.infer<typeof changeVerdictSchema>;
export type SubjectSummary = z.infer<typeof subjectSummarySchema>;
export type Changed = z.infer<typeof changedSchema>;
export type MetricChange = z.infer<typeof metricChangeSchema>;
export type CheckChange = z.infer<typeof checkChangeSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
