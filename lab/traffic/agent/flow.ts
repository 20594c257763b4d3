import type { Endpoint, FlowKind, FlowMode } from "../../evidence/ledger.ts";
import { Columns } from "./columns.ts";
import type { Pacer } from "./pacer.ts";

/** What an agent is for a session: the side that opens flows, or the side that accepts them. */
export type Role = "client" | "server";

/** All kinds and modes of a flow. */
export const flowKinds: readonly FlowKind[] = ["tcp", "udp", "ssh"];
export const flowModes: readonly FlowMode[] = ["client", "server", "both", "idle", "request"];

/** What the host says about a flow when it is opened. */
export interface FlowOrder {
  readonly flow: number;
  readonly kind: FlowKind;
  readonly mode: FlowMode;
  readonly intervalMs: number;
  readonly port: number;
  /** The client's own address that a tcp flow is opened from, where it has several. */
  readonly source?: string;
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
export abstract class AgentFlow {
  readonly order: FlowOrder;
  readonly sent = new Columns();
  readonly received = new Columns();
  readonly errors: AgentError[] = [];
  /** Where the other side's packets came from, in order of first sight. */
  readonly sources: Endpoint[] = [];
  /** Ends the flow's own socket, if it has one. */
  destroy: (() => void) | undefined;
  local: Endpoint | undefined;
  /** The server's own end, where the server told it to the client (ssh). */
  peer: Endpoint | undefined;
  corrupt = 0;
  /** Records of ours that the other side told to have got wrong (ssh). */
  misheard = 0;
  accepted = 0;
  highest = -1;
  state: "new" | "open" | "ended" = "new";
  protected readonly session: FlowSession;

  constructor(session: FlowSession, order: FlowOrder) {
    this.session = session;
    this.order = order;
  }

  get intervalMs(): number {
    return this.order.intervalMs;
  }

  /** Records begun, half ones included, that the other side has not answered; 0 where an agent of ours is the other side and tells what it got. */
  get unanswered(): number {
    return 0;
  }

  /** Starts to speak at the flow's interval if this side may, the first time after `firstInMs`. */
  abstract speak(firstInMs: number): void;

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
  }
}

/** The code of an error of Node's (ECONNRESET, EPIPE, …), or its name. */
export function errorCode(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
