import { z } from "zod";
import { findingSchema } from "./finding.ts";
import { checkResultSchema, verdictSchema } from "./run.ts";

/** A failing check of a validation's run, and which findings explain it. */
export const failingCheckSchema = checkResultSchema.pick({ id: true, phase: true, verdict: true, measured: true, allowed: true, explanation: true }).extend({
  /** Indexes into `findings`, the likeliest first. Empty when the files do not tell why. */
  explainedBy: z.array(z.number().int().min(0)),
});

/** `validation.json`: what `fwlab validate` found. Fields are only ever added within one `schema` number. */
export const validationSchema = z.object({
  schema: z.literal(1),
  id: z.string(),
  /** `fail`: an error that is certain, or the run fails. `invalid`: neither, and the run cannot judge. */
  verdict: verdictSchema,
  /** Why the verdict is what it is, in one line. */
  reason: z.string(),
  config: z.object({
    /** The tree that was validated, as its reader finds it. */
    path: z.string(),
    /** The tree below it, where it holds only what differs; null for a whole tree. */
    base: z.string().nullable(),
    /** A Firewall Builder file in it, that the policy was compiled from; null for none. */
    policy: z.string().nullable(),
    /** Of what the machines get, as `run.json` has it. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/u),
  }),
  /** What the tree promises of itself: its `fwlab.json`, and the defaults. */
  promises: z.looseObject({ topology: z.string() }),
  findings: z.array(findingSchema),
  /** The failover and failback that were tried; null when only the files were looked at. */
  run: z
    .object({
      id: z.string(),
      /** Folder of its bundle, as its reader finds it. */
      bundle: z.string(),
      verdict: verdictSchema,
      reason: z.string(),
      failing: z.array(failingCheckSchema),
    })
    .nullable(),
  /** How long each step took, in milliseconds; `dynamicMs` is null when it was left out. */
  durations: z.object({ staticMs: z.number().min(0), dynamicMs: z.number().min(0).nullable(), totalMs: z.number().min(0) }),
});

export type FailingCheck = z.infer<typeof failingCheckSchema>;
export type Validation = z.infer<typeof validationSchema>;
