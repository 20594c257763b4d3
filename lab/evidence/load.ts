import { z } from "zod";

/** Requests column by column, in the order in which they ended. */
export const requestColumnsSchema = z.object({
  /** Index of the client in the order. */
  client: z.array(z.int()),
  /** Host's epoch clock, milliseconds: when it was asked. */
  atMs: z.array(z.number()),
  tookMs: z.array(z.number()),
  /** `ok`, `reset`, `timeout`, `refused`, `unreachable`, `wrong-body`, `wrong-status`; any other error by its code. */
  outcome: z.array(z.string()),
});

/** A connection that was held, and was lost before anybody wanted it to end. */
export const lostConnectionSchema = z.object({ client: z.int(), atMs: z.number(), why: z.string() });

/** What a load generator's clients tell when they have ended. */
export const loadRecordSchema = z.object({
  requests: requestColumnsSchema,
  lost: z.array(lostConnectionSchema),
  /** Connections that are held, at the end. */
  held: z.int(),
});

export type RequestColumns = z.infer<typeof requestColumnsSchema>;
export type LoadRecord = z.infer<typeof loadRecordSchema>;
