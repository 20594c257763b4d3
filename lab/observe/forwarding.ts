import { z } from "zod";
import type { ForwardingEntry } from "../evidence/observation.ts";
import { parsedJson } from "./parsed.ts";

const answer = z.array(
  z.object({ mac: z.string(), ifname: z.string(), master: z.string().optional(), state: z.string().optional(), flags: z.array(z.string()).optional() }),
);

/**
 * What a bridge has learned, out of `bridge -j fdb show br BRIDGE`: frames to `mac` leave by `port`.
 * Permanent entries are left out: they are the ports' own addresses and multicast groups, and frames to them go nowhere else.
 * @throws Failure when the answer has another form. Source: bridge(8), fdb show.
 */
export function parseForwarding(text: string): ForwardingEntry[] {
  return parsedJson("bridge -j fdb show", answer, text)
    .filter((entry) => entry.state !== "permanent" && entry.master !== undefined)
    .map((entry) => ({ mac: entry.mac.toLowerCase(), port: entry.ifname }));
}
