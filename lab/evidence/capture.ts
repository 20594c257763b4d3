import { z } from "zod";

const count = z.number().int().min(0);

/** One interface of the lab's that was captured at: a bridge, or a firewall's tap. */
export const capturePointSchema = z.object({
  interface: z.string(),
  /** Packets that are in the file. */
  packets: count,
  /** Packets that the kernel or the capturing program lost. More than none makes the run invalid. */
  dropped: count,
});

/** A capture of a whole lab: one pcapng file with all its interfaces, timed by the host's one clock. */
export const captureSchema = z.object({
  /** File of the bundle. */
  file: z.string(),
  /** Bytes kept of each packet. */
  snapLength: z.number().int().positive(),
  /** Of the host's epoch clock: every interface was being captured from `startedAtMs` to `stoppedAtMs`. */
  startedAtMs: z.number(),
  stoppedAtMs: z.number(),
  points: z.array(capturePointSchema),
  /** Why the capture is not whole, when it ended before it was stopped. */
  problem: z.string().optional(),
});

export type CapturePoint = z.infer<typeof capturePointSchema>;
export type Capture = z.infer<typeof captureSchema>;
