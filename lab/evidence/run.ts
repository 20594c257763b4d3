import { z } from "zod";
import { captureSchema } from "./capture.ts";
import { distributionSchema } from "./distribution.ts";
import { flowKindSchema, tupleSchema } from "./ledger.ts";
import { stretchSchema } from "./sandwichFigures.ts";
import { dropsSchema, timelineSchema } from "./timeline.ts";

export const verdictSchema = z.enum(["pass", "fail", "invalid"]);

/** One judged statement: what was measured, what was allowed, where the evidence is (files of the bundle). */
export const checkResultSchema = z.object({
  id: z.string(),
  phase: z.enum(["failover", "failback", "run"]),
  verdict: verdictSchema,
  measured: z.string(),
  allowed: z.string(),
  explanation: z.string(),
  evidence: z.array(z.string()),
});

/** A flow in figures, over the whole run. `stallMs` is the longest silence of a speaking direction at its receiver. */
export const flowResultSchema = z.object({
  id: z.string(),
  kind: flowKindSchema,
  mode: z.string(),
  tuple: tupleSchema,
  natTuple: tupleSchema,
  sent: z.number().int(),
  received: z.number().int(),
  lost: z.number().int(),
  duplicated: z.number().int(),
  reordered: z.number().int(),
  corrupt: z.number().int(),
  stallMs: z.number().nullable(),
  resets: z.number().int(),
  survived: z.boolean(),
});

/** How long the flows stood still in one transition, in whole milliseconds. */
export const outageSchema = z.object({
  phase: z.enum(["failover", "failback"]),
  /**
   * The network's own outage: the longest stall of a UDP flow. It holds a pause between two records of the flow's own, give or take one. Null when no
   * UDP flow resumed.
   */
  networkMs: z.number().nullable(),
  /** Of the flows that speak all the time and resumed; null when none did. */
  stalls: distributionSchema.nullable(),
  /** Idle flows speak when told: the longest that such a record was under way. Null when no idle flow spoke. */
  longestIdleWaitMs: z.number().nullable(),
  /** Ids of the flows that carried nothing any more. They have no stall, so the figures above are without them. */
  neverResumed: z.array(z.string()),
  /** Flows that survived this transition, of all `flows`. */
  survived: z.number().int(),
  flows: z.number().int(),
});

/** `run.json` of a bundle: the published result of a run. Fields are only ever added within one `schema` number. */
export const runSchema = z.object({
  schema: z.literal(1),
  id: z.string(),
  verdict: verdictSchema,
  /** Why the verdict is what it is, in one line. */
  reason: z.string(),
  topology: z.string(),
  config: z.object({ path: z.string(), overlays: z.array(z.string()), sha256: z.string().regex(/^[0-9a-f]{64}$/u) }),
  fault: z.object({ id: z.string(), target: z.string(), atMs: z.number().nullable() }),
  host: z.object({
    accelerator: z.enum(["kvm", "tcg"]),
    accelReason: z.string(),
    cores: z.number().int().positive(),
    qemu: z.string(),
    guestKernel: z.string(),
  }),
  /** How the lab came up: its machines booted; restored with their config tree, or idle and given it; restored with live flows. Unknown when it did not. */
  begun: z.enum(["cold", "warm", "live"]).optional(),
  flows: z.array(flowResultSchema),
  checks: z.array(checkResultSchema),
  /** One entry a transition. A run of an fwlab that did not know this field yet reads as one without entries. */
  outages: z.array(outageSchema).default([]),
  /** One entry a transition of which anything is known. Empty in a run of an fwlab that did not know this field yet. */
  timelines: z.array(timelineSchema).default([]),
  /** One entry a transition. Empty without a capture, and in a run of an fwlab that did not know this field yet. */
  drops: z.array(dropsSchema).default([]),
  /** Of a sandwich's run: its load, and who carried it, stretch by stretch. */
  stretches: z.array(stretchSchema).optional(),
  /** The capture, `off` when none was wanted; absent when the lab never came up. */
  capture: z.union([z.literal("off"), captureSchema]).optional(),
  /** The command line that repeats the run. */
  command: z.string().optional(),
  /** Versions by the program's name: fwlab, Node, QEMU, and of the guests' packages under test. */
  versions: z.record(z.string(), z.string()).default({}),
  durations: z.record(z.string().regex(/Ms$/u), z.number()),
  /** How late a 100 ms timer of the host's woke, at worst. Absent when the lab never came up. */
  hostDelayMs: z.number().min(0).optional(),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type CheckResult = z.infer<typeof checkResultSchema>;
export type FlowResult = z.infer<typeof flowResultSchema>;
export type Outage = z.infer<typeof outageSchema>;
export type Run = z.infer<typeof runSchema>;
