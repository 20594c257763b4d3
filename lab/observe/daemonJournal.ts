import { z } from "zod";
import type { LabEvent } from "../evidence/event.ts";
import type { Told } from "./addressWatch.ts";
import { parsedJson } from "./parsed.ts";

/**
 * Prints what the daemons under test logged in this boot, as `parseDaemonJournal` reads it.
 * @param sinceMs of the machine's own time of day; undefined for the whole boot.
 * Source: journalctl(1); systemd.journal-fields(7).
 */
export function daemonJournalCommand(sinceMs: number | undefined): string {
  const since = sinceMs === undefined ? "" : ` --since=@${(sinceMs / 1000).toFixed(6)}`;
  const identifiers = ["Keepalived_vrrp", syslogName, stdoutName].map((name) => `-t ${name}`).join(" ");
  return `journalctl --boot${since} ${identifiers} --output=json --output-fields=MESSAGE,SYSLOG_IDENTIFIER,_PID,_SOURCE_REALTIME_TIMESTAMP --no-pager`;
}

/**
 * conntrackd logs everything twice: by syslog as it happens, and on its standard output, which reaches the journal in heaps and late.
 * Source: conntrack-tools 1.4.7 src/log.c.
 */
const syslogName = "conntrack-tools";
const stdoutName = "conntrackd";

const microseconds = z.string().regex(/^\d+$/u).transform(Number);
const entrySchema = z.object({
  __REALTIME_TIMESTAMP: microseconds,
  /** When the message was sent; the other is when the journal took it in. Standard output has no such time. */
  _SOURCE_REALTIME_TIMESTAMP: microseconds.optional(),
  SYSLOG_IDENTIFIER: z.string(),
  _PID: z.string().optional(),
  /** Bytes when the message is no UTF-8, null when it was too long. */
  MESSAGE: z.union([z.string(), z.array(z.number()), z.null()]),
});

interface Entry {
  readonly atMs: number;
  readonly identifier: string;
  readonly pid: string;
  readonly message: string;
}

/**
 * What keepalived and conntrackd tell of themselves, out of `daemonJournalCommand`'s answer: changes of VRRP state, and commits of the external
 * cache into the kernel. @throws Failure when a line has another form.
 * Source of the words: keepalived 2.2.7 keepalived/vrrp/vrrp.c ("(NAME) Entering STATE STATE"; before 2.0 "VRRP_Instance(NAME)"),
 * conntrack-tools 1.4.7 src/sync-mode.c and src/cache-ct.c.
 */
export function parseDaemonJournal(text: string, told: Told): LabEvent[] {
  const entries = text
    .split("\n")
    .filter((row) => row.trim() !== "")
    .map((row): Entry => {
      const entry = parsedJson("journalctl --output=json", entrySchema, row);
      const message = typeof entry.MESSAGE === "string" ? entry.MESSAGE : Buffer.from(entry.MESSAGE ?? []).toString("latin1");
      return { atMs: (entry._SOURCE_REALTIME_TIMESTAMP ?? entry.__REALTIME_TIMESTAMP) / 1000, identifier: entry.SYSLOG_IDENTIFIER, pid: entry._PID ?? "", message };
    })
    .toSorted((a, b) => a.atMs - b.atMs);
  const bySyslog = commits(entries.filter(({ identifier }) => identifier === syslogName), told);
  return [...states(entries, told), ...(bySyslog.length > 0 ? bySyslog : commits(entries.filter(({ identifier }) => identifier === stdoutName), told))];
}

function base({ atMs, identifier, pid, message }: Entry, { where, clock, source }: Told) {
  return { where, clock, source, atMs, text: `${identifier}[${pid}]: ${message}` };
}

function states(entries: readonly Entry[], told: Told): LabEvent[] {
  return entries.flatMap((entry): LabEvent[] => {
    const { instance, state } = /^(?:VRRP_Instance)?\((?<instance>[^)]+)\) Entering (?<state>MASTER|BACKUP|FAULT) STATE/u.exec(entry.message)?.groups ?? {};
    return instance === undefined || (state !== "MASTER" && state !== "BACKUP" && state !== "FAULT") ? [] : [{ ...base(entry, told), kind: "vrrp-state", instance, state }];
  });
}

function commits(entries: readonly Entry[], told: Told): LabEvent[] {
  const events: LabEvent[] = [];
  let committed: number | undefined;
  for (const entry of entries) {
    const message = entry.message.replace(/^\[[^\]]+\] \(pid=\d+\) \[\w+\] /u, "");
    const count = /^Committed (?<count>\d+) new entries/u.exec(message)?.groups?.["count"];
    if (/^committing .*cache/u.test(message)) {
      committed = undefined;
      events.push({ ...base(entry, told), kind: "commit", stage: "began" });
    } else if (count !== undefined) {
      committed = (committed ?? 0) + Number(count);
    } else if (message.startsWith("commit has taken ")) {
      events.push({ ...base(entry, told), kind: "commit", stage: "ended", ...(committed !== undefined && { entries: committed }) });
      committed = undefined;
    }
  }
  return events;
}
