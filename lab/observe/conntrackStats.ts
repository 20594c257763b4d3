import type { ConntrackStats } from "../evidence/observation.ts";
import { unreadable } from "./parsed.ts";

/**
 * Counters of `conntrack -S`, summed over the processors: found, invalid, insert_failed, drop, early_drop, error, search_restart, …
 * @throws Failure on an empty answer and on any line that is not `cpu=N name=N …`.
 * Source: conntrack-tools src/conntrack.c (nfct_stats_cb), Linux net/netfilter/nf_conntrack_netlink.c.
 */
export function parseConntrackStats(text: string): ConntrackStats {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) throw unreadable("conntrack -S", "nothing", text);
  const sums: Record<string, number> = {};
  for (const line of lines) {
    const [cpu, ...counters] = line.trim().split(/\s+/u);
    if (cpu === undefined || !/^cpu=\d+$/u.test(cpu) || counters.length === 0) throw unreadable("conntrack -S", "a line without cpu= and counters", line);
    for (const counter of counters) {
      const [, name, value] = /^([a-z_]+)=(\d+)$/u.exec(counter) ?? [];
      if (name === undefined || value === undefined) throw unreadable("conntrack -S", `unknown word ${counter}`, line);
      sums[name] = (sums[name] ?? 0) + Number(value);
    }
  }
  return sums;
}
