import { z } from "zod";
import { endpointSchema } from "../evidence/ledger.ts";
import type { ConnectOrder } from "./agent/connectOnce.ts";
import type { FlowOrder, Role } from "./agent/flow.ts";
import type { SshIdentity } from "./agent/sshIdentity.ts";

/** TCP port of the agent's control, on the management address. */
export const agentPort = 4100;

/** Base64 of a typed array's bytes, little-endian. */
const packed = z.base64();

const columnsSchema = z.object({ seq: packed, atMs: packed });
const errorsSchema = z.array(z.object({ atMs: z.number(), code: z.string(), message: z.string() }));

/** Answer to `open`: what the agent has of the session. */
const openedSchema = z.object({ flows: z.number().int().min(0) });

const doneSchema = z.object({});

/**
 * What an agent answers, by method. Columns of `progress` hold one number a flow, in order of flow numbers.
 * Times are milliseconds of the agent's monotonic clock; -1 stands for "never".
 */
export const results = {
  hello: z.object({ agent: z.string(), pid: z.number().int(), node: z.string(), rssBytes: z.number() }),
  now: z.object({ nowMs: z.number() }),
  loadSsh: doneSchema,
  open: openedSchema,
  progress: z.object({
    /** Int32: 0 new, 1 open, 2 ended. */
    state: packed,
    /** Int32: how often the server accepted it. */
    accepted: packed,
    /** Int32 counts. */
    sent: packed,
    received: packed,
    errors: packed,
    /** Int32: records begun that the other side has not answered; only ssh flows of the client's agent know. */
    unanswered: packed,
    /** Int32: highest sequence number received, and Float64: when the last record came in. */
    highest: packed,
    lastAtMs: packed,
    strays: z.number().int().min(0),
  }),
  sentAfter: z.object({ seq: packed }),
  receivedFrom: z.object({ atMs: packed }),
  ledger: z.object({
    flows: z.array(
      z.object({
        flow: z.number().int().min(0),
        local: endpointSchema.nullable(),
        sources: z.array(endpointSchema),
        accepted: z.number().int().min(0),
        corrupt: z.number().int().min(0),
        /** Records that the other side told to have got wrong; only ssh flows of the client's agent know. */
        misheard: z.number().int().min(0),
        sent: columnsSchema,
        received: columnsSchema,
        errors: errorsSchema,
      }),
    ),
  }),
  places: z.object({
    flows: z.array(
      z.object({
        local: endpointSchema.nullable(),
        /** The server's own end, told to the client; only ssh flows of the client's agent know. */
        peer: endpointSchema.nullable(),
        sources: z.array(endpointSchema),
        errors: errorsSchema,
      }),
    ),
  }),
  stop: doneSchema,
  speak: doneSchema,
  wake: doneSchema,
  close: doneSchema,
  connectOnce: z.object({ outcome: z.string(), connected: z.boolean(), localPort: z.number().int(), tookMs: z.number() }),
} as const;

export type Method = keyof typeof results;
export type Result<M extends Method> = z.infer<(typeof results)[M]>;

interface OfSession {
  readonly session: number;
}

/** What the host asks, by method. Every method but `connectOnce` may be repeated without harm: that is what outlives a lost control connection. */
export interface Params {
  readonly hello: Record<string, never>;
  readonly now: Record<string, never>;
  /** What ssh flows need, before they are opened. */
  readonly loadSsh: Record<string, never>;
  /**
   * As `server`: listens on `address` for these flows, but for ssh flows, which are sshd's. As `client`: opens them to `address`; `identity` is
   * needed for ssh flows. Does nothing when the session is known.
   */
  readonly open: OfSession & { readonly role: Role; readonly address: string; readonly flows: readonly FlowOrder[]; readonly identity?: SshIdentity };
  readonly progress: OfSession;
  /** First sequence number that each flow sent at or after `fromMs`. */
  readonly sentAfter: OfSession & { readonly fromMs: number };
  /** When each flow first got a record numbered as in `seq` (Int32, packed) or higher; flows with -1 are not looked at. */
  readonly receivedFrom: OfSession & { readonly seq: string };
  readonly ledger: OfSession & { readonly from: number; readonly to: number };
  readonly places: OfSession;
  readonly stop: OfSession;
  readonly speak: OfSession;
  readonly wake: OfSession;
  readonly close: OfSession;
  readonly connectOnce: ConnectOrder;
}

/** A line of the control connection, as the agent answers it. */
export const replySchema = z.discriminatedUnion("ok", [
  z.object({ id: z.number().int(), ok: z.literal(true), result: z.unknown() }),
  z.object({ id: z.number().int(), ok: z.literal(false), code: z.string(), message: z.string() }),
]);
