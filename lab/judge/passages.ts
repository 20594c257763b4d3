import { tcpFlag, type Packet } from "../evidence/packet.ts";
import { flowPackets, opposite, type Crowd, type Direction, type Stream, type Strangers } from "./flowPackets.ts";
import { holdLimitMs, isReset, leavingTimes, sameness } from "./matching.ts";
import type { Scene } from "./scene.ts";

/**
 * What became of a packet that went into a firewall.
 * `forwarded`: it came out on the other side, as the flow's. `changed`: it came out there, translated to what is not the flow's tuple.
 * `late`: it came out as the flow's, but more than `holdLimitMs` after it went in. `answered`: it did not come out, and the firewall itself answered
 * it with a TCP reset or an ICMP error. `dropped`: none of these. `open`: the capture ended too soon after it to say.
 */
export type Fate = "forwarded" | "changed" | "late" | "answered" | "dropped" | "open";

/** A packet of a flow that went into a firewall. Times are of the host's epoch clock. */
export interface Passage {
  readonly flowId: string;
  readonly direction: Direction;
  /** As it was when it went in. */
  readonly packet: Packet;
  readonly enteredAtMs: number;
  /** When the last of it came out on the other side; undefined when it did not. */
  readonly leftAtMs: number | undefined;
  readonly fate: Fate;
}

/** A TCP reset or an ICMP error into a flow that the firewall made itself. It travels in `direction`: `reverse` is to the client. */
export interface Answer {
  readonly flowId: string;
  readonly direction: Direction;
  readonly packet: Packet;
  readonly atMs: number;
  readonly what: string;
}

/** What a firewall did with the packets of flows over the whole capture, in the order of their times. */
export interface Passages {
  readonly passages: readonly Passage[];
  readonly answers: readonly Answer[];
}

const workedOut = new WeakMap<Scene["flows"], { readonly packets: readonly Packet[]; readonly byFirewall: Map<string, Passages> }>();

/**
 * What a firewall did with the packets of flows, by its taps alone. Undefined without a capture. Linear in the number of packets, and worked out
 * once for all scenes of a judgement.
 *
 * A packet goes in where a frame to the firewall's own MAC, or to that of a virtual router whose master it is, is on its tap, and comes out where one from
 * such a MAC is: a frame that was flooded to it is none of its business. On the client's side a flow's packets have the tuple that the client sees, on the server's side the one that the server
 * sees; so what comes back to where it came from did not pass.
 */
export function passagesOf(scene: Scene, firewall: string): Passages | undefined {
  const { packets, flows } = scene;
  if (packets === undefined) return undefined;
  const before = workedOut.get(flows);
  const { byFirewall } = before?.packets === packets ? before : { byFirewall: new Map<string, Passages>() };
  workedOut.set(flows, { packets, byFirewall });
  const passages = byFirewall.get(firewall) ?? workOut(scene, packets, firewall);
  byFirewall.set(firewall, passages);
  return passages;
}

function workOut(scene: Scene, packets: readonly Packet[], firewall: string): Passages {
  const { streams, strangers } = flowPackets(scene, packets, firewall);
  const endMs = endOfCapture(scene, packets);
  const answers = streams.flatMap((stream) => ownAnswers(stream, strangers)).sort((a, b) => a.atMs - b.atMs);
  const passages = streams.flatMap((stream) => passagesOfStream(stream, strangers.leaving.get(stream.direction), endMs)).sort((a, b) => a.enteredAtMs - b.enteredAtMs);
  const answered = answeredPassages(passages, answers);
  return { passages: answered.size === 0 ? passages : passages.map((passage) => (answered.has(passage) ? { ...passage, fate: "answered" } : passage)), answers };
}

/** The last moment that the capture is known to have seen. */
function endOfCapture({ evidence: { capture } }: Scene, packets: readonly Packet[]): number {
  const stopped = typeof capture === "object" && capture.problem === undefined ? capture.stoppedAtMs : Number.NEGATIVE_INFINITY;
  return Math.max(stopped, packets.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY);
}

function passagesOfStream({ flowId, direction, entering, leaving }: Stream, strangers: Crowd | undefined, endMs: number): Passage[] {
  const times = leavingTimes(entering, leaving);
  return entering.map((flowPacket, index) => {
    const { packet } = flowPacket;
    const enteredAtMs = packet.atMs;
    const asItself = times[index];
    const changed = asItself === undefined ? strangers?.take(flowPacket, enteredAtMs, enteredAtMs + holdLimitMs) : undefined;
    const unpassed = endMs - enteredAtMs < holdLimitMs ? "open" : "dropped";
    const fate = changed !== undefined ? "changed" : asItself === undefined ? unpassed : asItself - enteredAtMs > holdLimitMs ? "late" : "forwarded";
    return { flowId, direction, packet, enteredAtMs, leftAtMs: asItself ?? changed, fate };
  });
}

/** ICMP's redirect: advice about a better way for what was forwarded all the same (RFC 792). */
const redirect = 5;

/** Resets and errors that came out and had not gone in, be it under a tuple that is no flow's. */
function ownAnswers({ flowId, direction, entering, leaving, errorsEntering, errorsLeaving }: Stream, strangers: Strangers): Answer[] {
  const passing = new Map<string, number>();
  const resets = entering.filter(isReset).map(sameness);
  const errors = errorsEntering.map(({ body }) => `icmp ${body.type} ${body.code} ${body.ipId ?? "-"}`);
  for (const key of [...resets, ...errors]) passing.set(key, (passing.get(key) ?? 0) + 1);
  const passed = (key: string): boolean => {
    const count = passing.get(key) ?? 0;
    passing.set(key, count - 1);
    return count > 0;
  };
  const answer = (packet: Packet, what: string): Answer => ({ flowId, direction, packet, atMs: packet.atMs, what });
  const own = leaving.filter((packet) => isReset(packet) && !passed(sameness(packet)));
  return [
    ...own
      .filter((packet) => strangers.entering.get(direction)?.take(packet, packet.packet.atMs - holdLimitMs, packet.packet.atMs) === undefined)
      .map(({ packet }) => answer(packet, "TCP reset")),
    ...errorsLeaving
      .filter(({ body }) => body.type !== redirect && !passed(`icmp ${body.type} ${body.code} ${body.ipId ?? "-"}`))
      .map(({ packet, body }) => answer(packet, `ICMP error, type ${body.type} code ${body.code}`)),
  ];
}

/** Of the packets that did not come out, those that an answer was made to: each answer is to the first that it fits, of those that went in shortly before. */
function answeredPassages(passages: readonly Passage[], answers: readonly Answer[]): ReadonlySet<Passage> {
  const unpassed = new Map<string, { readonly list: Passage[]; next: number }>();
  for (const passage of passages) {
    if (passage.leftAtMs !== undefined) continue;
    const key = `${passage.direction} ${passage.flowId}`;
    const queue = unpassed.get(key);
    if (queue === undefined) unpassed.set(key, { list: [passage], next: 0 });
    else queue.list.push(passage);
  }
  const answered = new Set<Passage>();
  for (const answer of answers) {
    const queue = unpassed.get(`${opposite[answer.direction]} ${answer.flowId}`);
    if (queue === undefined) continue;
    while ((queue.list[queue.next]?.enteredAtMs ?? answer.atMs) < answer.atMs - holdLimitMs) queue.next += 1;
    for (let index = queue.next; index < queue.list.length; index += 1) {
      const passage = queue.list[index];
      if (passage === undefined || passage.enteredAtMs > answer.atMs) break;
      if (answered.has(passage) || !fits(answer, passage)) continue;
      answered.add(passage);
      break;
    }
  }
  return answered;
}

/** A reset to a segment with an acknowledgement has its number (RFC 9293, 3.10.7.1). */
function fits({ packet: { body: answer } }: Answer, { packet: { body } }: Passage): boolean {
  if (answer.kind !== "tcp") return true;
  return body.kind === "tcp" && ((body.flags & tcpFlag.ack) === 0 || body.ack === answer.seq);
}
