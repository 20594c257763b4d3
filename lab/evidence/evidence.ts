import { z } from "zod";
import { captureSchema } from "./capture.ts";
import { comingUpSchema } from "./comingUp.ts";
import { eventSchema } from "./event.ts";
import { clockSchema, flowLedgerSchema } from "./ledger.ts";
import { observationSchema } from "./observation.ts";
import { actSchema } from "./sandwich.ts";

/** Something broken on purpose. Times are of the host's epoch clock. */
export const faultRecordSchema = z.object({
  id: z.string(),
  target: z.string(),
  /** When it struck. */
  atMs: z.number(),
  /** What shows that it bit, as seen from outside the target: for a power cut, how the VM's process ended. */
  effect: z.object({ bit: z.boolean(), measured: z.string(), evidence: z.string() }),
});

/**
 * A question put to the policy, from the client's side unless it says otherwise.
 * `allowed-service`: a new connection that must be answered. `denied-service`: a new connection, or datagrams, that must not.
 * `forged-ack`: TCP segments with ACK and data for a connection that never was: none may reach the server.
 */
export const probeSchema = z.object({
  id: z.enum(["allowed-service", "denied-service", "forged-ack"]),
  moment: z.enum(["before", "during", "after"]),
  atMs: z.number(),
  target: z.string(),
  /** Which endpoint asked; the client where nothing is said. */
  from: z.enum(["client", "server"]).optional(),
  /** TCP where nothing is said. */
  protocol: z.enum(["tcp", "udp"]).optional(),
  /** What the asker saw: `answered`, `refused`, `timeout`, `sent` (forged segments), or an error code. */
  outcome: z.string(),
  tookMs: z.number(),
  /** Source ports that the probe used, so that a logged packet can be told apart from a flow's. */
  sourcePorts: z.array(z.number().int()),
  /** Packets sent by the probe (of a connection at least one; none when the asker has no way to the target), and those that a capture on the target's own NIC saw arrive. */
  packetsSent: z.number().int(),
  packetsThrough: z.number().int(),
  /** Packets of a known-good new connection that the same capture saw: zero means that the capture proves nothing. */
  capturedControl: z.number().int(),
});

/** One move of the duty from one firewall to the other. `before` is looked at while `from` still has it, `after` when the flows moved again. */
export const transitionSchema = z.object({
  phase: z.enum(["failover", "failback"]),
  from: z.string(),
  to: z.string(),
  /**
   * What made it happen. With the id `failback`, the return of the machine: `atMs` is the last look at which `to` had not taken the duty yet. A
   * pair that does not give the duty back by itself is struck a second time, and the fault is that of the strike.
   */
  fault: faultRecordSchema,
  before: observationSchema,
  /** Set when the duty moved before anybody had looked: why. Then `before` shows what was there already after it, and what was before is not judged. */
  unseenBefore: z.string().optional(),
  after: observationSchema,
  probes: z.array(probeSchema),
  /** Longest time that a flow may stand still. */
  outageBoundMs: z.number().positive(),
});

/**
 * The host while the lab ran: how late a 100 ms timer of the runner's woke, at worst, and for how long each machine's QEMU wanted to run and was not let.
 * A starved host cannot judge; the same is allowed of both. Nor can one whose endpoints do not get to what arrives.
 */
export const hostHealthSchema = z.object({
  worstTimerDelayMs: z.number().min(0),
  allowedTimerDelayMs: z.number().positive(),
  /** Absent in bundles of before it was watched. */
  standstills: z.array(z.object({ machine: z.string(), worstMs: z.number().min(0) })).optional(),
  /** Datagrams that an endpoint's own kernel dropped as its agent did not get to them. Absent in bundles of before they were counted, and when the run ended before. */
  unreadDatagrams: z.array(z.object({ machine: z.string(), count: z.int().min(0) })).optional(),
});

/** All that a run's verdict rests on. Judging reads this and nothing else. */
export const evidenceSchema = z.object({
  topology: z.string(),
  flows: z.array(flowLedgerSchema),
  clocks: z.array(clockSchema),
  transitions: z.array(transitionSchema),
  hostHealth: hostHealthSchema,
  /** `off` when none was wanted; absent when the run ended before there was one. */
  capture: z.union([z.literal("off"), captureSchema]).optional(),
  /** What machines and bridges told of themselves, in no order. */
  events: z.array(eventSchema).default([]),
  /** What had to come up, and did or did not. Absent where a pair that does not come up is no matter of the verdict: then nothing can be judged. */
  comingUp: comingUpSchema.optional(),
  /** Firewalls whose conntrackd says that it keeps no external cache: it puts the other's states straight into the kernel's table. */
  injecting: z.array(z.string()).optional(),
  /** Of a sandwich: the load, and who carried it. */
  acts: z.array(actSchema).optional(),
  /** Set when the run did not come to its end: what was being done, and what went wrong. */
  interrupted: z.string().optional(),
});

export type FaultRecord = z.infer<typeof faultRecordSchema>;
export type Probe = z.infer<typeof probeSchema>;
export type Transition = z.infer<typeof transitionSchema>;
export type HostHealth = z.infer<typeof hostHealthSchema>;
export type Evidence = z.infer<typeof evidenceSchema>;
