import { z } from "zod";

/** A unit of a machine that did not start, does not end its start, or starts again and again. Source: systemctl(1), `show`. */
export const troubledUnitSchema = z.object({
  machine: z.string(),
  unit: z.string(),
  /** `failed (Result: exit-code)`, `activating (start)`, `activating (auto-restart)`. */
  state: z.string(),
  /** Its last lines in the journal, the newest last. */
  journal: z.array(z.string()),
});

/** Something that a pair has to come to before it can be judged by a fault, and what came of waiting for it. */
export const arrivalSchema = z.object({
  /** As a person would say it: `one owner of both virtual addresses`. */
  what: z.string(),
  reached: z.boolean(),
  /** What was seen last. */
  seen: z.string(),
  tookMs: z.number().min(0),
  withinMs: z.number().positive(),
});

/** How a pair under test came up: all that was waited for, in its order. What was not reached ended the wait for the rest. */
export const comingUpSchema = z.object({
  arrivals: z.array(arrivalSchema),
  /** Of the firewalls, once they were up; and of any machine that was not. */
  units: z.array(troubledUnitSchema),
  /** Files of the bundle with the raw answers. */
  evidence: z.array(z.string()),
});

export type TroubledUnit = z.infer<typeof troubledUnitSchema>;
export type Arrival = z.infer<typeof arrivalSchema>;
export type ComingUp = z.infer<typeof comingUpSchema>;
