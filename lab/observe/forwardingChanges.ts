import { hostEpochClock, type LabEvent } from "../evidence/event.ts";

const timestamp = /^Timestamp: \w{3} (?<month>\w{3}) +(?<day>\d+) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4}) (?<microseconds>\d+) usec$/u;
const change = /^(?<deleted>Deleted )?(?<mac>[\da-f]{2}(?::[\da-f]{2}){5}) dev (?<port>\S+)(?<rest>.*)$/u;

export interface ForwardingChanges {
  readonly events: Extract<LabEvent, { kind: "forwarding" }>[];
  /** Lines that are not of the form that this parser knows. */
  readonly unknown: readonly string[];
}

/**
 * What bridges learned and forgot, out of `TZ=UTC bridge -t monitor fdb`. Permanent and static entries are left out: nobody learned them.
 * @param bridges those that are told of.
 * @param source file of the bundle. Source: bridge(8).
 */
export function parseForwardingChanges(text: string, bridges: readonly string[], source: string): ForwardingChanges {
  const events: Extract<LabEvent, { kind: "forwarding" }>[] = [];
  const unknown: string[] = [];
  let atMs: number | undefined;
  for (const line of text.split("\n").map((each) => each.trim())) {
    const stamp = timestamp.exec(line)?.groups;
    const entry = change.exec(line)?.groups;
    if (stamp !== undefined) {
      atMs = Date.parse(`${stamp["day"] ?? ""} ${stamp["month"] ?? ""} ${stamp["year"] ?? ""} ${stamp["time"] ?? ""} UTC`) + Number(stamp["microseconds"]) / 1000;
    } else if (entry?.["mac"] !== undefined && entry["port"] !== undefined && atMs !== undefined) {
      const words = (entry["rest"] ?? "").trim().split(/\s+/u);
      const bridge = words[words.indexOf("master") + 1] ?? "";
      if (words.includes("permanent") || words.includes("static") || !words.includes("master") || !bridges.includes(bridge)) continue;
      events.push({ kind: "forwarding", where: bridge, clock: hostEpochClock, source, atMs, text: line, mac: entry["mac"], port: entry["port"], change: entry["deleted"] === undefined ? "learned" : "forgotten" });
    } else if (line !== "") {
      unknown.push(line);
    }
  }
  return { events, unknown };
}
