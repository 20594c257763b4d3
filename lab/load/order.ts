import { z } from "zod";

/** What a load generator's clients do. */
export const loadOrderSchema = z.object({
  /** Source addresses, one a client. Those that hold their connection come first. */
  clients: z.array(z.string()).min(1),
  /** How many of them hold one connection open; each other opens one for each request. */
  held: z.int().min(0),
  /** Addresses that are asked, in turn. */
  servers: z.array(z.string()).min(1),
  port: z.int().min(1).max(65_535),
  /** Milliseconds from one request of a client's to its next. */
  pauseMs: z.int().positive(),
  /** Of an answer. */
  bytes: z.int().min(0),
  /** Milliseconds after which a request counts as lost. */
  timeoutMs: z.int().positive(),
});
export type LoadOrder = z.infer<typeof loadOrderSchema>;
