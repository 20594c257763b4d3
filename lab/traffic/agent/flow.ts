import type { Endpoint, FlowMode } from "../../evidence/ledger.ts";
import { Columns } from "./columns.ts";
import type { Pacer } from "./pacer.ts";
import { forward, ofFlow, readRecord, recordSize, reverse, writeRecord, type Direction } from "./record.ts";

/** What an agent is for a session: the side that opens flows, or the side that accepts them. */
export type Role = "client" | "server";

/** All modes of a flow. */
export const flowModes: readonly FlowMode[] = ["client", "server", "both", "idle", "request"];

/** What the host says about a flow when it is opened. */
export interface FlowOrder {
  readonly flow: number;
  readonly kind: "tcp" | "udp";
  readonly mode: FlowMode;
  readonly intervalMs: number;
  readonly port: number;
}

export interface AgentError {
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
}

/** An agent keeps this many errors of a flow, so that a UDP flow that is refused for hours cannot fill the guest. */
const errorsKept = 100;

/** Whose flows these are, and whether they may speak now. */
export interface FlowSession {
  readonly number: number;
  readonly role: Role;
  readonly pacer: Pacer;
  readonly speaking: boolean;
  readonly woken: boolean;
}

/** One agent's side of a flow: what it sent, what it got, what went wrong. Outlives every control connection. */
export class AgentFlow {
  readonly order: FlowOrder;
  readonly sent = new Columns();
  readonly received = new Columns();
  readonly errors: AgentError[] = [];
  /** Where the other side's packets came from, in order of first sight. */
  readonly sources: Endpoint[] = [];
  /** Set while there is a way to send. */
  transmit: ((record: Buffer) => void) | undefined;
  /** Ends the flow's own socket, if it has one. */
  destroy: (() => void) | undefined;
  local: Endpoint | undefined;
  corrupt = 0;
  accepted = 0;
  highest = -1;
  state: "new" | "open" | "ended" = "new";
  readonly #session: FlowSession;
  readonly #seen = new Set<number>();
  #paced = false;

  constructor(session: FlowSession, order: FlowOrder) {
    this.#session = session;
    this.order = order;
  }

  get intervalMs(): number {
    return this.order.intervalMs;
  }

  /** Starts to speak at the flow's interval if its mode lets this side speak, the first time after `firstInMs`. */
  speak(firstInMs: number): void {
    if (this.#paced || this.state !== "open" || !this.#session.speaking || !this.#mayInitiate()) return;
    this.#paced = true;
    this.#session.pacer.add(this, firstInMs);
  }

  /** One turn of the pacer. */
  tick(): boolean {
    this.#paced = this.#session.speaking && this.state === "open";
    if (this.#paced) this.sendNext();
    return this.#paced;
  }

  /** Sends the next record, whoever's turn it is. */
  sendNext(): void {
    if (this.transmit === undefined) return;
    const seq = this.sent.length;
    const record = Buffer.allocUnsafe(recordSize);
    writeRecord(record, 0, { session: this.#session.number, flow: this.order.flow, direction: this.#outgoing(), purpose: ofFlow, seq });
    this.sent.push(seq, performance.now());
    this.transmit(record);
  }

  /** Takes in a record from the wire. True when it is right and was not seen before. */
  receive(bytes: Buffer, at: number): boolean {
    const header = readRecord(bytes, at);
    const ours =
      header?.session === this.#session.number && header.flow === this.order.flow && header.purpose === ofFlow && header.direction !== this.#outgoing();
    if (!ours) {
      this.corrupt += 1;
      return false;
    }
    this.received.push(header.seq, performance.now());
    this.highest = Math.max(this.highest, header.seq);
    // TCP delivers once; only datagrams have to be remembered one by one.
    if (this.order.kind === "tcp") return true;
    if (this.#seen.has(header.seq)) return false;
    this.#seen.add(header.seq);
    return true;
  }

  /** Notes where the other side's packets come from. */
  noteSource(source: Endpoint): void {
    if (!this.sources.some((known) => known.address === source.address && known.port === source.port)) this.sources.push(source);
  }

  noteError(code: string, message: string): void {
    if (this.errors.length < errorsKept) this.errors.push({ atMs: performance.now(), code, message });
  }

  /** There is no way to send any more; what was noted stays. */
  end(): void {
    this.state = "ended";
    this.transmit = undefined;
  }

  #outgoing(): Direction {
    return this.#session.role === "client" ? forward : reverse;
  }

  #mayInitiate(): boolean {
    const { mode } = this.order;
    if (this.#session.role === "client") return mode === "client" || mode === "both" || mode === "request";
    return mode === "server" || mode === "both" || (mode === "idle" && this.#session.woken);
  }
}

/** The code of an error of Node's (ECONNRESET, EPIPE, …), or its name. */
export function errorCode(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
