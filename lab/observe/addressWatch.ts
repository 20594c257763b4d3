import type { LabEvent } from "../evidence/event.ts";
import { canonicalAddress } from "../topology/address.ts";

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

/**
 * The event in a line of `addressWatchCommand`. Undefined for a line of another form. An IPv6 address that is given while the kernel still asks whether
 * another machine has it, or knows that one has (RFC 4862, 5.4), is `tentative`: nobody reaches the machine there yet, and the kernel tells again when one does.
 */
export function parseAddressChange(text: string, { where, clock, source }: Told): Extract<LabEvent, { kind: "address" }> | undefined {
  const { at, deleted, nic, address } = line.exec(text)?.groups ?? {};
  if (at === undefined || nic === undefined || address === undefined) return undefined;
  return { kind: "address", where, clock, source, atMs: microsecondsTime(at), text: text.replace(/^\[[^\]]*\] /u, "").replace(/\s+/gu, " ").trim(), address: canonicalAddress(address), nic, change: deleted !== undefined ? "removed" : /\s(?:tentative|dadfailed)\s/u.test(text) ? "tentative" : "added" };
}

/** An ISO time in UTC without its letter, to the microsecond, in milliseconds: Date keeps whole ones only. */
function microsecondsTime(at: string): number {
  return Date.parse(`${at.slice(0, 19)}Z`) + Number(at.slice(20)) / 1000;
}
