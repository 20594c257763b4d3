import { z } from "zod";
import { conntrackEntrySchema, type ConntrackEntry } from "../evidence/observation.ts";
import { canonicalAddress } from "../topology/address.ts";
import { checked, unreadable } from "./parsed.ts";

/** Keys of a tuple: addresses, ports, ICMP's and GRE's stand-ins for ports, counters, and the zone of one direction. */
const tupleKeys = new Set(["src", "dst", "sport", "dport", "type", "code", "id", "srckey", "dstkey", "packets", "bytes", "zone-orig", "zone-reply"]);

/** What may follow both tuples. */
const entryKeys = new Set(["mark", "secctx", "zone", "use", "id", "delta-time", "timeout", "labels", "helper"]);

type TupleFields = Map<string, string>;

/**
 * Entries of `conntrack -L`, with `-o extended` too. An empty answer is an empty table.
 * @throws Failure on the first line that does not parse; a line is never skipped.
 * Source: libnetfilter_conntrack src/conntrack/snprintf_default.c.
 */
export function parseConntrack(text: string): ConntrackEntry[] {
  return linesOf(text).map((line) => {
    const entry = parseLine(line);
    if (entry.reply === undefined) throw unreadable("conntrack", "1 tuple instead of 2", line);
    return entry;
  });
}

/**
 * Entries of a cache of conntrackd's (`conntrackd -i`, `-e`): the same grammar without timeout, with `[active since Ns]`, and `[expires in Ns]` where the cache has a
 * timer (CacheTimeout, of the mode ALARM).
 * The external cache has no reply tuples: the peer sends the original tuple, and the translation beside it (conntrack-tools src/build.c).
 * @throws Failure as parseConntrack.
 */
export function parseCache(text: string): ConntrackEntry[] {
  return linesOf(text).map(parseLine);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

function parseLine(line: string): ConntrackEntry {
  const bad = (seen: string) => unreadable("conntrack", seen, line);
  // What has blanks in it; every other token is a word.
  const words = line.replace(/\[(?:active since|expires in) \d+s\]/gu, "").trim().split(/\s+/u);
  if (/^ipv[46]$/u.test(words[0] ?? "")) words.splice(0, 2);
  const protocol = words.shift() ?? "";
  if (!/^[a-z][a-z0-9-]*$/u.test(protocol)) throw bad("no protocol");
  const number = words.shift() ?? "";
  if (!/^\d{1,3}$/u.test(number)) throw bad("no protocol number");

  let timeoutSeconds: number | undefined;
  if (/^\d+$/u.test(words[0] ?? "")) timeoutSeconds = Number(words.shift());
  let state: string | undefined;
  if (/^[A-Z][A-Z0-9_]*$/u.test(words[0] ?? "")) state = words.shift();

  const tuples: TupleFields[] = [];
  const flags: string[] = [];
  const rest = new Map<string, string>();
  for (const word of words) {
    const flag = /^\[([A-Z_]+)\]$/u.exec(word)?.[1];
    if (flag !== undefined) {
      flags.push(flag);
      continue;
    }
    const pair = /^([a-z-]+)=(.*)$/u.exec(word);
    const key = pair?.[1];
    const value = pair?.[2];
    if (key === undefined || value === undefined) throw bad(`unknown word ${word}`);
    if (key === "src") tuples.push(new Map());
    const tuple = tuples.at(-1);
    const inTuple = tuple !== undefined && rest.size === 0 && tupleKeys.has(key) && !tuple.has(key);
    if (inTuple) tuple.set(key, value);
    else if (entryKeys.has(key) && tuple !== undefined) rest.set(key, value);
    else throw bad(`${key}= is out of place`);
  }

  const [original, reply] = tuples;
  if (original === undefined || tuples.length > 2) throw bad(`${tuples.length} tuples instead of 2`);
  const mark = rest.get("mark");
  const entry = {
    protocol: protocol === "unknown" ? `unknown-${number}` : protocol,
    ...(state !== undefined && { state }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    original: tupleOf(original),
    ...(reply !== undefined && { reply: tupleOf(reply) }),
    flags,
    ...(mark !== undefined && { mark: Number(mark) }),
  };
  return checked("conntrack", wellFormedEntry, entry, line);
}

const wellFormed = conntrackEntrySchema.shape.original.extend({
  source: z.union([z.ipv4(), z.ipv6()]),
  destination: z.union([z.ipv4(), z.ipv6()]),
  sourcePort: z.number().int().min(0).max(65_535).optional(),
  destinationPort: z.number().int().min(0).max(65_535).optional(),
});

/** Made once: a table has thousands of lines. */
const wellFormedEntry = conntrackEntrySchema.extend({ original: wellFormed, reply: wellFormed.optional() });

function tupleOf(fields: TupleFields) {
  const sourcePort = fields.get("sport");
  const destinationPort = fields.get("dport");
  return {
    source: canonicalAddress(fields.get("src") ?? ""),
    destination: canonicalAddress(fields.get("dst") ?? ""),
    ...(sourcePort !== undefined && { sourcePort: Number(sourcePort) }),
    ...(destinationPort !== undefined && { destinationPort: Number(destinationPort) }),
  };
}
