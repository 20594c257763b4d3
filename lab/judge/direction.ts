import type { DirectionLedger } from "../evidence/ledger.ts";
import type { HostTime, ToHostTime } from "./clocks.ts";

export interface SentRecord extends HostTime {
  readonly seq: number;
}

/** One direction of a flow in figures. Times are the host's; lengths of silences are the receiver's own. */
export interface DirectionFigures {
  readonly name: "forward" | "reverse";
  readonly sent: number;
  /** Different records that came in. */
  readonly received: number;
  readonly corrupt: number;
  readonly lost: readonly SentRecord[];
  readonly duplicatedAt: readonly number[];
  readonly reorderedAt: readonly number[];
  /** Every record that came in, in order; `sent` is undefined for one that nobody sent (counted as corrupt too). */
  readonly arrivals: readonly Arrival[];
}

export interface Arrival extends HostTime {
  readonly seq: number;
  readonly sent: HostTime | undefined;
  /** Time since the arrival before, on the receiver's own clock; 0 for the first. */
  readonly silenceMs: number;
}

/** A silence at a receiver. `endMs` is undefined when nothing came any more: then `lengthMs` is how long it had lasted when last looked at. */
export interface Stall {
  readonly lengthMs: number;
  readonly startMs: number;
  readonly endMs: number | undefined;
}

/** Counts a direction's ledger: every record that was sent, and every one that came in. */
export function directionFigures(name: DirectionFigures["name"], ledger: DirectionLedger, sender: ToHostTime, receiver: ToHostTime): DirectionFigures {
  const sent = ledger.sent.atMs.map(sender);
  const sentBySeq = new Map<number, HostTime | undefined>();
  for (const [index, seq] of ledger.sent.seq.entries()) sentBySeq.set(seq, sent[index]);
  const seen = new Set<number>();
  const arrivals: Arrival[] = [];
  const duplicatedAt: number[] = [];
  const reorderedAt: number[] = [];
  let highest = -1;
  let unsent = 0;
  let previousMs: number | undefined;
  for (const [index, seq] of ledger.received.seq.entries()) {
    const ownMs = ledger.received.atMs[index] ?? 0;
    const { atMs, errorMs } = receiver(ownMs);
    const sentAt = sentBySeq.get(seq);
    if (seen.has(seq)) duplicatedAt.push(atMs);
    else {
      if (seq < highest) reorderedAt.push(atMs);
      if (sentAt === undefined) unsent += 1;
    }
    seen.add(seq);
    highest = Math.max(highest, seq);
    arrivals.push({ atMs, errorMs, seq, sent: sentAt, silenceMs: previousMs === undefined ? 0 : ownMs - previousMs });
    previousMs = ownMs;
  }
  const lost = ledger.sent.seq.flatMap((seq, index) => {
    const time = sent[index];
    return seen.has(seq) || time === undefined ? [] : [{ seq, ...time }];
  });
  return { name, sent: sent.length, received: seen.size - unsent, corrupt: ledger.corrupt + unsent, lost, duplicatedAt, reorderedAt, arrivals };
}

/**
 * The longest silence of a direction among those that ended after `fromMs` and not after `untilMs`, and the one that had not ended by `lookedAtMs`.
 * Undefined when fewer than two records came in and the look was earlier than the first.
 */
export function longestSilence({ arrivals }: DirectionFigures, fromMs: number, untilMs: number, lookedAtMs: number): Stall | undefined {
  let longest: Stall | undefined;
  for (const arrival of arrivals) {
    if (arrival.atMs <= fromMs || arrival.atMs > untilMs || arrival.silenceMs <= (longest?.lengthMs ?? 0)) continue;
    longest = { lengthMs: arrival.silenceMs, startMs: arrival.atMs - arrival.silenceMs, endMs: arrival.atMs };
  }
  const last = arrivals.at(-1);
  const open = last === undefined ? 0 : lookedAtMs - last.atMs;
  return last !== undefined && open > (longest?.lengthMs ?? 0) ? { lengthMs: open, startMs: last.atMs, endMs: undefined } : longest;
}

/** The longest time that a record was under way, among those sent after `fromMs` and not after `untilMs`. For directions that speak only when told. */
export function longestWait({ arrivals }: DirectionFigures, fromMs: number, untilMs: number): Stall | undefined {
  let longest: Stall | undefined;
  for (const { sent, atMs } of arrivals) {
    if (sent === undefined || sent.atMs <= fromMs || sent.atMs > untilMs) continue;
    const lengthMs = Math.max(0, atMs - sent.atMs);
    if (longest === undefined || lengthMs > longest.lengthMs) longest = { lengthMs, startMs: sent.atMs, endMs: atMs };
  }
  return longest;
}
