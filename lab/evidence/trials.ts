import { z } from "zod";
import { distributionSchema } from "./distribution.ts";
import { figuresSchema } from "./metric.ts";
import { outageSchema, runSchema, verdictSchema } from "./run.ts";

const count = z.number().int().min(0);

/** One restore of the saved lab, one strike, judged as a run of its own. */
export const trialSchema = z.object({
  /** Counts from 1. */
  number: z.number().int().min(1),
  /** The set time that the trial waited before it struck. */
  offsetMs: z.number().min(0),
  /** When it struck, on the same scale: later than `offsetMs` when the look before took too long. Null when it never did. */
  struckMs: z.number().nullable(),
  verdict: verdictSchema,
  /** Why, in one line, as its own `run.json` tells it. */
  reason: z.string(),
  /** Folder of its own bundle, relative to the folder of `trials.json`. */
  bundle: z.string(),
  /** Of the failover. Null when the trial did not come that far. */
  outage: outageSchema.nullable(),
  /** Flows that survived the whole trial, of all `flows`. */
  survived: count,
  flows: count,
  /** Ids of the checks that fail, each once. */
  failedChecks: z.array(z.string()),
  /** What it cost; `totalMs` is all of it, from the restore on. */
  durations: z.record(z.string().regex(/Ms$/u), z.number()),
  /** What trials are compared by. Trials of an fwlab that did not know this field yet tell their outage alone. */
  figures: figuresSchema.optional(),
});

/** A distribution, and how many trials it is over. */
export const trialDistributionSchema = distributionSchema.extend({ trials: z.number().int().min(1) });

/** All trials in figures. Only valid trials count here, those that pass or fail: an invalid one says nothing of the pair. */
export const trialsSummarySchema = z.object({
  counts: z.object({ pass: count, fail: count, invalid: count }),
  /**
   * Valid trials in which a flow never resumed. Their outage has no end, so neither of the two distributions that follow can hold it:
   * they are over the other trials, and never to be read without this number.
   */
  neverResumed: count,
  /** The network's own outage. Null when no trial tells one. */
  outageMs: trialDistributionSchema.nullable(),
  /** Each trial's longest stall of a flow. */
  longestStallMs: trialDistributionSchema.nullable(),
  flowsSurvived: z.object({ survived: count, of: count }),
  /** What a trial cost in time. */
  trialMs: trialDistributionSchema.nullable(),
  /** By how much each trial took longer than the one before it (least squares). Null below two trials. */
  costSlopeMsPerTrial: z.number().nullable(),
});

/** `trials.json`: the published result of trials. Fields are only ever added within one `schema` number. */
export const trialsSchema = z.object({
  schema: z.literal(1),
  id: z.string(),
  verdict: verdictSchema,
  /** Why the verdict is what it is, in one line. */
  reason: z.string(),
  topology: z.string(),
  config: runSchema.shape.config,
  fault: z.object({ id: z.string(), target: z.string() }),
  host: runSchema.shape.host,
  /** The command line that repeats the trials, at the same moments. */
  command: runSchema.shape.command,
  /** What is known before the first trial: fwlab, Node, QEMU, kernel. A trial's own run.json has the guests' packages too. */
  versions: runSchema.shape.versions,
  /** How many flows live in the saved lab. */
  flows: count,
  /** The same by kind. */
  flowKinds: z.object({ tcp: count, udp: count, ssh: count }).optional(),
  /** With these the offsets can be told again. */
  seed: z.number().int().min(0).max(4_294_967_295),
  spreadMs: z.number().min(0),
  /** How many trials were asked for. */
  planned: z.number().int().min(1),
  trials: z.array(trialSchema),
  summary: trialsSummarySchema,
});

export type Trial = z.infer<typeof trialSchema>;
export type TrialDistribution = z.infer<typeof trialDistributionSchema>;
export type TrialsSummary = z.infer<typeof trialsSummarySchema>;
export type Trials = z.infer<typeof trialsSchema>;
