import type { Clock, FlowMode } from "../evidence/ledger.ts";
import type { AgentClient } from "./agentClient.ts";
import { float64sOf, int32sOf, packInt32s } from "./packed.ts";
import type { FlowSpec } from "./flowSpec.ts";
import { speakingDirections } from "./watch.ts";

export interface AgentWatchOptions {
  readonly session: number;
  readonly client: AgentClient;
  readonly server: AgentClient;
  readonly clientClock: Clock;
  readonly serverClock: Clock;
  readonly flows: readonly { readonly id: string; readonly spec: FlowSpec }[];
  readonly woken: boolean;
  /** Host's epoch clock. */
  readonly afterMs: number;
  /** Whether an idle flow that nobody woke counts as moving while it is open; it has no record to show. */
  readonly idleCounts: boolean;
}

/** An agent, and its machine's clock against the host's. */
interface WatchedEnd {
  readonly agent: AgentClient;
  readonly clock: Clock;
}

interface DirectionWatch {
  readonly sender: AgentClient;
  readonly receiver: AgentClient;
  /** The moment in the sender's clock, later by the clock's error: what was sent from then on was sent after the moment for sure. */
  readonly fromMs: number;
  readonly receiverOffsetMs: number;
  readonly flows: readonly number[];
  /** By flow: first sequence number sent after the moment, -1 while there is none. */
  readonly firstSeq: Int32Array;
  /** By flow: when the receiver got that one or a later one (host's epoch clock), -1 while it has not. */
  readonly arrivedAtMs: Float64Array;
}

/**
 * Watches for each speaking direction of each flow to bring a record over that was sent after a moment. No two machines' clocks are compared:
 * the moment is converted to the sender's clock, which names a sequence number, and the receiver is asked for that number. Of an ssh flow the
 * client's agent knows both: what it sent, and when the answer said that it was received.
 */
export class AgentWatch {
  readonly #options: AgentWatchOptions;
  readonly #directions: readonly DirectionWatch[];

  constructor(options: AgentWatchOptions) {
    this.#options = options;
    const { client, server, clientClock, serverClock } = options;
    const [atClient, atServer] = [{ agent: client, clock: clientClock }, { agent: server, clock: serverClock }];
    this.#directions = [
      this.#direction(atClient, atServer, ({ kind, mode }) => kind !== "ssh" && this.#speaks("forward", mode)),
      this.#direction(atServer, atClient, ({ kind, mode }) => kind !== "ssh" && this.#speaks("reverse", mode)),
      this.#direction(atClient, atClient, ({ kind }) => kind === "ssh"),
    ];
  }

  /** Flows that have moved by now, and when the last of each one's speaking directions did (host's epoch clock). @throws Failure when an agent does not answer. */
  async poll(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    for (const direction of this.#directions) await this.#advance(direction, signal);
    const idle = await this.#openIdleFlows(signal);
    const moved = new Map<string, number>();
    this.#options.flows.forEach(({ id, spec }, index) => {
      const speaking = this.#directions.filter((direction) => direction.flows.includes(index));
      const arrived = speaking.map((direction) => direction.arrivedAtMs[index] ?? -1);
      if (speaking.length > 0 && !arrived.includes(-1)) moved.set(id, Math.max(...arrived));
      else if (spec.mode === "idle" && idle.has(index)) moved.set(id, this.#options.afterMs);
    });
    return moved;
  }

  #speaks(direction: "forward" | "reverse", mode: FlowMode): boolean {
    return speakingDirections(mode, this.#options.woken).includes(direction);
  }

  #direction(sender: WatchedEnd, receiver: WatchedEnd, watched: (spec: FlowSpec) => boolean): DirectionWatch {
    const { flows, afterMs } = this.#options;
    return {
      sender: sender.agent,
      receiver: receiver.agent,
      fromMs: afterMs - sender.clock.offsetMs + sender.clock.errorMs,
      receiverOffsetMs: receiver.clock.offsetMs,
      flows: flows.flatMap(({ spec }, index) => (watched(spec) ? [index] : [])),
      firstSeq: new Int32Array(flows.length).fill(-1),
      arrivedAtMs: new Float64Array(flows.length).fill(-1),
    };
  }

  async #advance({ sender, receiver, fromMs, receiverOffsetMs, flows, firstSeq, arrivedAtMs }: DirectionWatch, signal: AbortSignal): Promise<void> {
    const { session } = this.#options;
    const missing = flows.filter((flow) => arrivedAtMs[flow] === -1);
    if (missing.length === 0) return;
    if (missing.some((flow) => firstSeq[flow] === -1)) firstSeq.set(int32sOf((await sender.request("sentAfter", { session, fromMs }, { signal })).seq));
    const wanted = new Int32Array(firstSeq.length).fill(-1);
    for (const flow of missing) wanted[flow] = firstSeq[flow] ?? -1;
    if (wanted.every((seq) => seq === -1)) return;
    const atMs = float64sOf((await receiver.request("receivedFrom", { session, seq: packInt32s(wanted) }, { signal })).atMs);
    for (const flow of missing) {
      const arrivedMs = atMs[flow] ?? -1;
      if (arrivedMs >= 0) arrivedAtMs[flow] = arrivedMs + receiverOffsetMs;
    }
  }

  async #openIdleFlows(signal: AbortSignal): Promise<ReadonlySet<number>> {
    const { session, client, server, flows, woken, idleCounts } = this.#options;
    const idle = flows.flatMap(({ spec }, index) => (spec.mode === "idle" ? [index] : []));
    if (!idleCounts || woken || idle.length === 0) return new Set();
    const states = await Promise.all([client, server].map(async (agent) => int32sOf((await agent.request("progress", { session }, { signal })).state)));
    return new Set(idle.filter((flow) => states.every((state) => state[flow] === 1)));
  }
}
