import { RecordFlow } from "./recordFlow.ts";
import type { Session } from "./session.ts";

/** The agent's sessions by number, and what came in that belongs to none of them. */
export class Sessions {
  readonly byNumber = new Map<number, Session>();
  /** Connections and datagrams that named no flow of ours. */
  strays = 0;

  /** The flow that a record names, if this agent serves it. */
  served(session: number, flow: number, kind: "tcp" | "udp"): RecordFlow | undefined {
    const found = this.byNumber.get(session);
    const candidate = found?.role === "server" ? found.flows[flow] : undefined;
    return candidate instanceof RecordFlow && candidate.order.kind === kind ? candidate : undefined;
  }
}
