import { z } from "zod";
import { exitCode } from "../failure/failure.ts";

/** What a standing lab breaks by hand, by id, with what the target is. */
export const handFaults = { "power-cut": "a machine", "link-block": "a NIC, as MACHINE.NIC" } as const;
export type HandFault = keyof typeof handFaults;

const terminalSchema = z.object({ type: z.string(), columns: z.number().int().positive(), rows: z.number().int().positive() });

/** What is asked of a standing lab: the first line of a conversation. */
export const requestSchema = z.discriminatedUnion("verb", [
  z.object({ verb: z.literal("status") }),
  /** A command on a machine, or a login shell without one. */
  z.object({ verb: z.literal("session"), machine: z.string(), command: z.string().nullable(), terminal: terminalSchema.nullable() }),
  /** With keys, what is said is typed there. */
  z.object({ verb: z.literal("console"), machine: z.string(), follow: z.boolean(), keys: z.boolean() }),
  /** Frames at a bridge or a tap, in pcapng, until whoever asked has enough. */
  z.object({ verb: z.literal("capture"), point: z.string(), filter: z.string().nullable() }),
  z.object({ verb: z.literal("viewer"), machine: z.string() }),
  z.object({ verb: z.literal("fault"), id: z.enum(["power-cut", "link-block"]), target: z.string() }),
  /** Without a target: everything that was broken by hand. */
  z.object({ verb: z.literal("heal"), target: z.string().nullable() }),
  z.object({ verb: z.literal("snapshot"), name: z.string() }),
  z.object({ verb: z.literal("restore"), name: z.string() }),
  z.object({ verb: z.literal("down") }),
]);
export type LabRequest = z.infer<typeof requestSchema>;

/** What whoever asked goes on to say: bytes in Base64 for the command's input, its end, the terminal's new size. */
export const saidSchema = z.union([
  z.object({ in: z.base64() }).strict(),
  z.object({ inEnd: z.literal(true) }).strict(),
  z.object({ columns: z.number().int().positive(), rows: z.number().int().positive() }).strict(),
]);
export type Said = z.infer<typeof saidSchema>;

const exitCodeSchema = z.union([z.literal(exitCode.pass), z.literal(exitCode.fail), z.literal(exitCode.usage), z.literal(exitCode.invalid)]);

/** What the lab answers: bytes in Base64 of both outputs, words for people, data; at last how it ended, or why it could not be done. */
export const answerSchema = z.union([
  z.object({ out: z.base64() }).strict(),
  z.object({ err: z.base64() }).strict(),
  z.object({ note: z.string() }).strict(),
  z.object({ data: z.unknown() }).strict(),
  z.object({ ended: z.number().int() }).strict(),
  z.object({ failed: z.object({ tried: z.string(), seen: z.string(), remedy: z.string(), exit: exitCodeSchema, details: z.array(z.string()) }) }).strict(),
]);
export type Answer = z.infer<typeof answerSchema>;

/** Where a graphical console is found: what a viewer is given. */
export const graphicalConsoleSchema = z.object({ socket: z.string(), ticketFile: z.string() });

const firewallSchema = z.object({
  /** Of the addresses that VRRP moves, those that it holds. */
  holds: z.array(z.string()),
  vrrp: z.array(z.object({ name: z.string(), state: z.string(), priority: z.number() })).nullable(),
  conntrackEntries: z.number().int().nullable(),
  /** Entries of conntrackd's caches, and messages that it lost or could not read; null where there is no conntrackd, or no external cache. */
  replication: z.object({ internal: z.number().int(), external: z.number().int(), lost: z.number().int(), malformed: z.number().int() }).nullable(),
});

const statusMachineSchema = z.object({
  name: z.string(),
  role: z.string(),
  state: z.enum(["up", "coming up", "off"]),
  address: z.string(),
  /** Of a firewall that is up; null when it does not answer. */
  firewall: firewallSchema.nullable().optional(),
});

/** A standing lab at one moment. */
export const labStatusSchema = z.object({
  topology: z.string(),
  config: z.string(),
  accelerator: z.string(),
  upSinceMs: z.number(),
  machines: z.array(statusMachineSchema),
  natives: z.array(z.string()),
  /** How many are open, and how many brought something over within the last seconds; null where none were opened. */
  flows: z.object({ open: z.number().int(), moving: z.number().int(), still: z.array(z.string()) }).nullable(),
  broken: z.array(z.object({ id: z.string(), target: z.string(), atMs: z.number() })),
  snapshots: z.array(z.string()),
  /** Machines with a graphical console. */
  graphical: z.array(z.string()),
});
export type LabStatus = z.infer<typeof labStatusSchema>;
export type StatusMachine = z.infer<typeof statusMachineSchema>;
