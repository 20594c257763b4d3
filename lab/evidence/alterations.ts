import { z } from "zod";
import { findingSchema } from "./finding.ts";
import { verdictSchema } from "./run.ts";

/** A mutant breaks a reference tree on purpose, a variant makes it unusual and leaves it correct. */
export const alterationKinds = ["mutant", "variant"] as const;

/**
 * What came of an altered tree. A mutant is `caught` by all that must catch it, or `escaped`; one that is argued harmless is `harmless`, or `harmful` after all.
 * A variant is `passed`, or an `alarm`. `untried`: only a check can catch it, and no run was made. `invalid`: nothing can be said.
 */
export const alterationOutcomes = ["caught", "escaped", "harmless", "harmful", "passed", "alarm", "untried", "invalid"] as const;

/** Which altered trees are tried by a failover and a failback: those that show in nothing else what they must, all, or none. */
export const alterationRuns = ["needed", "all", "none"] as const;

/** A finding or a check that must catch a mutant. */
export const catcherSchema = z.object({ by: z.enum(["finding", "check"]), id: z.string() });

export const alterationResultSchema = z.object({
  name: z.string(),
  kind: z.enum(alterationKinds),
  base: z.string(),
  why: z.string(),
  outcome: z.enum(alterationOutcomes),
  expected: z.array(catcherSchema),
  /** Of the expected, those that did catch it; a mutant is caught when all that could be tried did. */
  caughtBy: z.array(catcherSchema),
  /** Findings above a hint, by their ids, and failing checks. */
  found: z.array(catcherSchema),
  /** The finding or the check that tells most, or why nothing can be said; one line. */
  told: z.string(),
  /** Of the validation; null when there was none. */
  verdict: verdictSchema.nullable(),
  /** Folder of the validation, relative to the folder of `mutants.json`. */
  folder: z.string().nullable(),
  findings: z.array(findingSchema),
  durations: z.object({ staticMs: z.number().nullable(), dynamicMs: z.number().nullable() }),
});

/** `mutants.json`: what came of each altered tree. */
export const alterationsSchema = z.object({
  schema: z.literal(1),
  id: z.string(),
  runs: z.enum(alterationRuns),
  planned: z.number().int(),
  results: z.array(alterationResultSchema),
});

export type AlterationKind = (typeof alterationKinds)[number];
export type AlterationRuns = (typeof alterationRuns)[number];
export type AlterationOutcome = (typeof alterationOutcomes)[number];
export type Catcher = z.infer<typeof catcherSchema>;
export type AlterationResult = z.infer<typeof alterationResultSchema>;
export type Alterations = z.infer<typeof alterationsSchema>;
