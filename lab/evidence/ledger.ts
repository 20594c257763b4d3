import { z } from "zod";

/** One end of a conversation as the machine named sees it. */
export const endpointSchema = z.object({ address: z.string(), port: z.number().int().min(0).max(65_535) });

/** The 4-tuple of a flow, seen from one place. */
export const tupleSchema = z.object({ source: endpointSchema, destination: endpointSchema });

/**
 * Numbered records as columns of one length: `seq[i]` was seen at `atMs[i]`, in milliseconds of the monotonic clock named by `clock`,
 * in the order in which they were sent or came in. Records count from 0.
 */
export const recordColumnsSchema = z
  .object({ clock: z.string(), seq: z.array(z.number().int().min(0)), atMs: z.array(z.number()) })
  .refine((columns) => columns.seq.length === columns.atMs.length, { error: "seq and atMs differ in length" });

/** One direction of a flow. `corrupt` counts records whose bytes were not what the sender must have sent. */
export const directionLedgerSchema = z.object({
  sent: recordColumnsSchema,
  received: recordColumnsSchema,
  corrupt: z.number().int().min(0),
});

/** Something that ended or disturbed a flow: a reset, an end of stream, a refusal. `atMs` is of the clock named. */
export const flowErrorSchema = z.object({ clock: z.string(), atMs: z.number(), code: z.string(), message: z.string() });

export const flowKindSchema = z.enum(["tcp", "ssh", "udp"]);

/** Who speaks: the client, the server (only return traffic), both; nobody until told (then the server first); or request and answer. */
export const flowModeSchema = z.enum(["client", "server", "both", "idle", "request"]);

/**
 * What a flow sent and got, record by record: the ground truth for loss, order, duplicates and stall.
 * `forward` is client → server, `reverse` server → client.
 */
export const flowLedgerSchema = z.object({
  id: z.string(),
  kind: flowKindSchema,
  mode: flowModeSchema,
  /** Pause between two records of a speaking direction, in milliseconds. */
  intervalMs: z.number().positive(),
  /** As the client sees it. */
  tuple: tupleSchema,
  /** As the server sees it: after NAT. */
  natTuple: tupleSchema,
  /** Every source that the server saw for this flow, in order of first sight: more than one means that the NAT state was lost. */
  serverSawSources: z.array(endpointSchema).min(1),
  /** How often the server accepted this flow: more than once means that the client connected again. */
  accepted: z.number().int().min(1),
  forward: directionLedgerSchema,
  reverse: directionLedgerSchema,
  errors: z.array(flowErrorSchema),
});

/**
 * A machine's clock against the host's epoch clock: host time = clock's time + `offsetMs`, right within `errorMs` (half the shortest round trip
 * seen). An agent's monotonic clock has the machine's name; its time of day is `NAME/realtime`, and `NAME#2/realtime` once it was switched on a
 * second time. `host` itself may appear, with offset to its own monotonic clock.
 */
export const clockSchema = z.object({ clock: z.string(), offsetMs: z.number(), errorMs: z.number().min(0), measuredAtMs: z.number() });

export type Endpoint = z.infer<typeof endpointSchema>;
export type Tuple = z.infer<typeof tupleSchema>;
export type RecordColumns = z.infer<typeof recordColumnsSchema>;
export type DirectionLedger = z.infer<typeof directionLedgerSchema>;
export type FlowError = z.infer<typeof flowErrorSchema>;
export type FlowKind = z.infer<typeof flowKindSchema>;
export type FlowMode = z.infer<typeof flowModeSchema>;
export type FlowLedger = z.infer<typeof flowLedgerSchema>;
export type Clock = z.infer<typeof clockSchema>;
