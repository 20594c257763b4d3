import type { AgentFlow, FlowOrder, Role } from "./flow.ts";
import type { Pacer } from "./pacer.ts";
import { RecordFlow } from "./recordFlow.ts";
import { SshFlow } from "./sshFlow.ts";

/** All flows that the host opened in one go, as one of the two agents has them. Flow numbers count from 0, and are the same at both. */
export class Session {
  readonly number: number;
  readonly role: Role;
  readonly pacer: Pacer;
  readonly flows: readonly AgentFlow[];
  speaking = true;
  woken = false;

  constructor(number: number, role: Role, pacer: Pacer, orders: readonly FlowOrder[]) {
    this.number = number;
    this.role = role;
    this.pacer = pacer;
    this.flows = orders.map((order) => (order.kind === "ssh" ? new SshFlow(this, order) : new RecordFlow(this, order)));
  }

  /** Nobody speaks any more of their own accord; requests are still answered. */
  stop(): void {
    this.speaking = false;
  }

  /** Those speak who may, spread over their interval. */
  speak(): void {
    this.speaking = true;
    for (const flow of this.flows) flow.speak(this.phaseOf(flow));
  }

  /** Idle flows are told: the server speaks first, and goes on. */
  wake(): void {
    this.woken = true;
    for (const flow of this.flows) flow.speak(0);
  }

  /** Ends all sockets of the session. */
  close(): void {
    this.speaking = false;
    for (const flow of this.flows) {
      flow.end();
      flow.destroy?.();
    }
  }

  /** When in its interval a flow speaks, in milliseconds: evenly spread, so that no burst hides a stall of the machine. */
  phaseOf(flow: AgentFlow): number {
    return (flow.intervalMs * (flow.order.flow + 1)) / this.flows.length;
  }
}
