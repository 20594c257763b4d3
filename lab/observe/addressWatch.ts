import type { LabEvent } from "../evidence/event.ts";

/** What tells addresses as they come and go, whoever changes them: the kernel's own notifications. Source: ip-monitor(8), `-ts` of ip(8). */
export const addressWatchCommand = "LC_ALL=C TZ=UTC exec ip -ts -o monitor address";

/** Of what a machine tells on its own clock: whose it is, and where it is kept. */
export interface Told {
  readonly where: string;
  readonly clock: string;
  /** File of the bundle. */
  readonly source: string;
}

const line = /^\[(?<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})\] (?<deleted>Deleted )?\d+: (?<nic>[^\s@]+)(?:@\S+)?\s+inet6? (?<address>[\da-fA-F.:]+)\//u;

/** The event in a line of `addressWatchCommand`. Undefined for a line of another form. */
export function parseAddressChange(text: string, { where, clock, source }: Told): Extract<LabEvent, { kind: "address" }> | undefined {
  const { at, deleted, nic, address } = line.exec(text)?.groups ?? {};
  if (at === undefined || nic === undefined || address === undefined) return undefined;
  return { kind: "address", where, clock, source, atMs: microsecondsTime(at), text: text.replace(/^\[[^\]]*\] /u, "").replace(/\s+/gu, " ").trim(), address, nic, change: deleted === undefined ? "added" : "removed" };
}

/** An ISO time in UTC without its letter, to the microsecond, in milliseconds: Date keeps whole ones only. */
function microsecondsTime(at: string): number {
  return Date.parse(`${at.slice(0, 19)}Z`) + Number(at.slice(20)) / 1000;
}
