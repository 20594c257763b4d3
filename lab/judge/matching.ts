import { tcpFlag, type Packet, type TcpBody, type UdpBody } from "../evidence/packet.ts";

/**
 * How long a packet that passes may be inside a firewall. A host that is not called starved may hold a machine up for 1.5 s; a machine that holds
 * packets for longer is one that VRRP is about to replace, and what it lets out when it thaws was queued and not forwarded.
 */
export const holdLimitMs = 2000;

/** A packet of a flow at one of the firewall's taps. */
export interface FlowPacket {
  readonly packet: Packet;
  readonly body: TcpBody | UdpBody;
}

/**
 * Says for each packet that went in when it came out, or undefined. Both lists are of one flow and direction, in the order of their times.
 *
 * A packet that is the same on both sides of a router is its own proof: a datagram by our record's number, a TCP segment by its sequence number, both by
 * IPv4's identification, which a router leaves as it is and a retransmission has anew; IPv6 has none, and TCP's own timestamp stands for it. Only TCP's data may be cut anew on its way, as machines merge
 * and split segments (GRO, GSO): such a segment is out when every byte of it left in frames that no other segment has claimed, so that a retransmission
 * that passed never stands for the one that did not. Of several that claim the same bytes, the last that went in has them: a router takes
 * milliseconds, a retransmission waits for more.
 *
 * What came out later than `holdLimitMs` after it went in has a time too; it is up to the caller to call it late.
 */
export function leavingTimes(entering: readonly FlowPacket[], leaving: readonly FlowPacket[]): (number | undefined)[] {
  const times = new Array<number | undefined>(entering.length).fill(undefined);
  const used = new Set<number>();
  matchSame(entering, leaving, holdLimitMs, times, used);
  if (used.size === leaving.length) return times;
  const cut = cutAnew(entering, leaving, used);
  matchBytes(entering, cut, holdLimitMs, times);
  for (const { index, from, until, free } of cut?.frames ?? []) if (sizeOf(free) < until - from) used.add(index);
  const claimed = new Set(used);
  matchSame(entering, leaving, Number.POSITIVE_INFINITY, times, used);
  const rest = cut && { ...cut, frames: cut.frames.filter(({ index }) => claimed.has(index) || !used.has(index)) };
  matchBytes(entering, rest, Number.POSITIVE_INFINITY, times);
  return times;
}

/** What is the same of a packet on both sides of a router, NAT or not. */
export function sameness({ body }: FlowPacket): string {
  if (body.kind === "udp") {
    const { record } = body;
    const number = record === undefined ? `${body.payloadBytes}` : `${record.direction} ${record.seq} ${record.probe ? "probe" : "flow"}`;
    return `udp ${number} ${body.ipId ?? "-"}`;
  }
  const once = body.ipId ?? body.timestamp ?? "-";
  return body.payloadBytes > 0 ? `data ${once} ${body.seq} ${body.payloadBytes}` : `bare ${once} ${body.seq} ${body.ack} ${body.flags}`;
}

function matchSame(entering: readonly FlowPacket[], leaving: readonly FlowPacket[], limitMs: number, times: (number | undefined)[], used: Set<number>): void {
  const waiting = new Map<string, { readonly indices: number[]; next: number }>();
  for (const [index, packet] of leaving.entries()) {
    if (used.has(index)) continue;
    const key = sameness(packet);
    const queue = waiting.get(key);
    if (queue === undefined) waiting.set(key, { indices: [index], next: 0 });
    else queue.indices.push(index);
  }
  for (const [index, entered] of entering.entries()) {
    if (times[index] !== undefined) continue;
    const queue = waiting.get(sameness(entered));
    if (queue === undefined) continue;
    const enteredMs = entered.packet.atMs;
    const leftMs = (): number | undefined => leaving[queue.indices[queue.next] ?? -1]?.packet.atMs;
    // What left before this one went in can be none of those that are still to come either.
    while ((leftMs() ?? enteredMs) < enteredMs) queue.next += 1;
    const found = leftMs();
    if (found === undefined || found - enteredMs > limitMs) continue;
    times[index] = found;
    used.add(queue.indices[queue.next] ?? -1);
    queue.next += 1;
  }
}

/** A frame with data that left and matched nothing, and those of its bytes that no segment has claimed: `[from, until)`, in the order of their numbers. */
interface Frame {
  readonly index: number;
  readonly atMs: number;
  readonly from: number;
  readonly until: number;
  free: readonly (readonly [number, number])[];
}

/** Data that left as it did not come in, and where each entering segment's data begins, on one count. */
interface Cut {
  readonly frames: readonly Frame[];
  readonly starts: readonly (number | undefined)[];
  /** Bytes of the longest frame. */
  readonly longest: number;
}

function cutAnew(entering: readonly FlowPacket[], leaving: readonly FlowPacket[], used: ReadonlySet<number>): Cut | undefined {
  const base = entering.find(hasData)?.body;
  if (base?.kind !== "tcp") return undefined;
  const froms = unwrapped(leaving, base.seq);
  const frames = leaving
    .flatMap(({ packet, body }, index): Frame[] => {
      const from = froms[index];
      if (from === undefined || used.has(index)) return [];
      const until = from + body.payloadBytes;
      return [{ index, atMs: packet.atMs, from, until, free: [[from, until]] }];
    })
    .toSorted((a, b) => a.from - b.from || a.atMs - b.atMs);
  const longest = frames.reduce((length, { from, until }) => Math.max(length, until - from), 0);
  return { frames, starts: unwrapped(entering, base.seq), longest };
}

function matchBytes(entering: readonly FlowPacket[], cut: Cut | undefined, limitMs: number, times: (number | undefined)[]): void {
  if (cut === undefined || cut.frames.length === 0) return;
  for (let index = entering.length - 1; index >= 0; index -= 1) {
    const entered = entering[index];
    const from = cut.starts[index];
    if (entered === undefined || from === undefined || times[index] !== undefined) continue;
    times[index] = claim(cut, from, from + entered.body.payloadBytes, entered.packet.atMs, limitMs);
  }
}

/** Claims the bytes `[from, until)` from frames that left in time, the earliest first: when the last of them left, or undefined, with nothing claimed. */
function claim({ frames, longest }: Cut, from: number, until: number, enteredMs: number, limitMs: number): number | undefined {
  const candidates: Frame[] = [];
  for (let index = firstFrom(frames, from - longest); index < frames.length; index += 1) {
    const frame = frames[index];
    if (frame === undefined || frame.from >= until) break;
    if (frame.until > from && frame.atMs >= enteredMs && frame.atMs - enteredMs <= limitMs) candidates.push(frame);
  }
  let wanted: Frame["free"] = [[from, until]];
  let leftMs: number | undefined;
  const claims: (readonly [Frame, Frame["free"]])[] = [];
  for (const frame of candidates.toSorted((a, b) => a.atMs - b.atMs)) {
    const left = without(wanted, frame.free);
    if (sizeOf(left) === sizeOf(wanted)) continue;
    claims.push([frame, without(frame.free, wanted)]);
    wanted = left;
    leftMs = frame.atMs;
    if (wanted.length === 0) break;
  }
  if (wanted.length > 0) return undefined;
  for (const [frame, free] of claims) frame.free = free;
  return leftMs;
}

/** Index of the first frame that begins at or after `from`. */
function firstFrom(frames: readonly Frame[], from: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((frames[middle]?.from ?? from) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The spans of `spans` that none of `taken` covers. */
function without(spans: Frame["free"], taken: Frame["free"]): Frame["free"] {
  return taken.reduce<Frame["free"]>(
    (left, [from, until]) =>
      left.flatMap((span): (readonly [number, number])[] => {
        if (span[1] <= from || span[0] >= until) return [span];
        const rest: (readonly [number, number])[] = [[span[0], from], [until, span[1]]];
        return rest.filter(([start, end]) => end > start);
      }),
    spans,
  );
}

function sizeOf(spans: Frame["free"]): number {
  return spans.reduce((size, [from, until]) => size + until - from, 0);
}

function hasData({ body }: FlowPacket): boolean {
  return body.kind === "tcp" && body.payloadBytes > 0;
}

/** Sequence numbers of segments with data, counted on where they wrap (modulo 2^32; RFC 9293, 3.4), from one base; undefined for other packets. */
function unwrapped(packets: readonly FlowPacket[], base: number): (number | undefined)[] {
  let previous = base;
  return packets.map((packet) => {
    const { body } = packet;
    if (body.kind !== "tcp" || !hasData(packet)) return undefined;
    previous += (body.seq - previous) | 0;
    return previous;
  });
}

/** Whether a packet resets a connection. */
export function isReset({ body }: FlowPacket): boolean {
  return body.kind === "tcp" && (body.flags & tcpFlag.rst) !== 0;
}
