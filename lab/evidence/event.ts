import { z } from "zod";

/** The clock of events that were timed by the host itself: its epoch clock. */
export const hostEpochClock = "host-epoch";

const told = {
  /** The machine or bridge that it happened on. */
  where: z.string(),
  /** The clock of `atMs`, by its name in the evidence's clocks, or `host-epoch`. A machine that was switched on again has another clock. */
  clock: z.string(),
  atMs: z.number(),
  /** As the machine or tool worded it. */
  text: z.string(),
  /** File of the bundle that holds it. */
  source: z.string(),
};

/** Something that happened on a machine or a bridge, as it tells itself. */
export const eventSchema = z.discriminatedUnion("kind", [
  z.object({ ...told, kind: z.literal("vrrp-state"), instance: z.string(), state: z.enum(["MASTER", "BACKUP", "FAULT"]) }),
  z.object({ ...told, kind: z.literal("address"), address: z.string(), nic: z.string(), change: z.enum(["added", "removed", "tentative"]) }),
  z.object({ ...told, kind: z.literal("commit"), stage: z.enum(["began", "ended"]), entries: z.number().int().min(0).optional() }),
  /** A bridge learned that frames to `mac` leave by `port`, or forgot it. */
  z.object({ ...told, kind: z.literal("forwarding"), mac: z.string(), port: z.string(), change: z.enum(["learned", "forgotten"]) }),
]);

export type LabEvent = z.infer<typeof eventSchema>;
