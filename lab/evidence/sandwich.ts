import { z } from "zod";
import { loadRecordSchema } from "./load.ts";
import { loggedPacketSchema, lookSchema } from "./observation.ts";

/** A firewall as the director sees it, with what it was given since the director started. Source: ipvsadm(8). */
export const realServerSchema = z.object({ address: z.string(), connections: z.int(), inPackets: z.int(), inBytes: z.int() });

/** The director's table. `scheduler` is how it chooses, by IPVS' own name. */
export const directorSchema = z.object({ scheduler: z.string(), servers: z.array(realServerSchema) });

export const balancingSchema = z.object({
  director: lookSchema(directorSchema),
  /** What the firewalls' kernels logged since their boot, by firewall. */
  logged: z.record(z.string(), lookSchema(z.array(loggedPacketSchema))),
});

/** Load for a while, and what was looked at before and after. Times are of the host's epoch clock. */
export const actSchema = z.object({
  name: z.string(),
  fromMs: z.number(),
  /** When all held connections were open: until then, clients begin faster than they go on. Not told by earlier fwlabs. */
  openAtMs: z.number().optional(),
  untilMs: z.number(),
  /** Connections that were to be held open. */
  held: z.int(),
  load: loadRecordSchema,
  before: balancingSchema,
  after: balancingSchema,
});

export type DirectorTable = z.infer<typeof directorSchema>;
export type RealServer = z.infer<typeof realServerSchema>;
export type Balancing = z.infer<typeof balancingSchema>;
export type Act = z.infer<typeof actSchema>;
