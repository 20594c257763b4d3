import { z } from "zod";
import { checked, unreadable } from "./parsed.ts";

const cacheHealth = z.object({
  entries: z.number().int(),
  created: z.number().int(),
  createFailed: z.number().int(),
  updateFailed: z.number().int(),
  destroyFailed: z.number().int(),
});

/** Headline figures of `conntrackd -s`. */
export const conntrackdHealthSchema = z.object({
  internal: cacheHealth,
  external: cacheHealth,
  sentPackets: z.number().int(),
  receivedPackets: z.number().int(),
  sendErrors: z.number().int(),
  receiveErrors: z.number().int(),
  malformed: z.number().int(),
  /** As conntrackd counts: a gap of n messages makes n + 2. Source: conntrack-tools 1.4.7 src/network.c, nethdr_track_seq. */
  lost: z.number().int(),
});
export type ConntrackdHealth = z.infer<typeof conntrackdHealthSchema>;

/**
 * Health of the replication out of `conntrackd -s`, in entries, packets and messages since the daemon's start.
 * @throws Failure when a figure is missing: conntrackd 1.4.7 exits 0 on options that it does not know.
 * Source: conntrackd(8), conntrack-tools src/cache.c (cache_stats), src/sync-mode.c, src/multichannel.c.
 */
export function parseConntrackdStats(text: string): ConntrackdHealth {
  const read = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const cache = (name: string) => {
    const figure = (words: string) => new RegExp(`cache ${name}:\\n(?:.+\\n)*?${words}`, "u");
    return {
      entries: read(figure("current active connections:\\s+(\\d+)")),
      created: read(figure("connections created:\\s+(\\d+)")),
      createFailed: read(figure("connections created:\\s+\\d+\\s+failed:\\s+(\\d+)")),
      updateFailed: read(figure("connections updated:\\s+\\d+\\s+failed:\\s+(\\d+)")),
      destroyFailed: read(figure("connections destroyed:\\s+\\d+\\s+failed:\\s+(\\d+)")),
    };
  };
  const health = {
    internal: cache("internal"),
    external: cache("external"),
    sentPackets: read(/(\d+) Pckts sent/u),
    receivedPackets: read(/(\d+) Pckts recv/u),
    sendErrors: read(/(\d+) Error send/u),
    receiveErrors: read(/(\d+) Error recv/u),
    malformed: read(/(\d+) Malformed msgs/u),
    lost: read(/(\d+) Lost msgs/u),
  };
  return checked("conntrackd -s", conntrackdHealthSchema, health, text);
}

/**
 * Whether conntrackd puts the other node's states straight into the kernel's table, by `conntrackd -s`: then it keeps no external cache, and `conntrackd -e`
 * tells none. Source: conntrack-tools src/external_inject.c (external_inject_stats).
 */
export function injectsStates(stats: string): boolean {
  return /^external inject:$/mu.test(stats);
}

/** One figure of a statistic of conntrackd's, with the headings above it: `["sequence tracking statistics", "recv", "Packets lost"]`. */
export interface ConntrackdFigure {
  readonly path: readonly string[];
  readonly value: number;
}

/**
 * All figures of `conntrackd -s network`, `-s runtime` or `-s queue`, by their headings.
 * @throws Failure when there is none.
 */
export function parseConntrackdFigures(text: string): ConntrackdFigure[] {
  const figures: ConntrackdFigure[] = [];
  let headings: { depth: number; name: string }[] = [];
  for (const line of text.split("\n").filter((candidate) => candidate.trim() !== "")) {
    const depth = /^\t*/u.exec(line)?.[0].length ?? 0;
    headings = headings.filter((heading) => heading.depth < depth || (heading.depth === depth && !line.trimEnd().endsWith(":")));
    const figure = /^\s*(.+?):\s+(\d+)\b/u.exec(line);
    const reversed = /^\s+(\d+) (\D+?)(?:\s{2,}(\d+) (\D+))?$/u.exec(line);
    const path = headings.map((heading) => heading.name);
    if (line.trimEnd().endsWith(":")) headings.push({ depth, name: line.trim().slice(0, -1) });
    else if (figure?.[1] !== undefined) figures.push({ path: [...path, figure[1]], value: Number(figure[2]) });
    else if (reversed?.[2] !== undefined) {
      figures.push({ path: [...path, reversed[2]], value: Number(reversed[1]) });
      if (reversed[4] !== undefined) figures.push({ path: [...path, reversed[4]], value: Number(reversed[3]) });
    }
  }
  if (figures.length === 0) throw unreadable("conntrackd -s", "no figures", text);
  return figures;
}
