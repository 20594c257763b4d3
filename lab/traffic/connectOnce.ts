import { randomInt } from "node:crypto";
import type { AgentClient } from "./agentClient.ts";
import type { ConnectOrder, ConnectOutcome } from "./agent/connectOnce.ts";

/** The agent may need this much longer than the connection itself, in milliseconds. */
const controlMarginMs = 15_000;

/**
 * One short TCP connection from the agent's machine. With `expect: "record"` it is `answered` only when the service of the flows itself answered
 * (an agent that has opened flows as a server on that port); with `"connect"` the handshake is enough. `localPort` is known for dropped SYNs too.
 * @throws Failure when the agent does not answer, or its control connection broke: the probe is not made twice.
 */
export function connectOnce(agent: AgentClient, order: Omit<ConnectOrder, "probe">, signal: AbortSignal): Promise<ConnectOutcome> {
  return agent.request("connectOnce", { ...order, probe: randomInt(2 ** 32) }, { signal, timeoutMs: order.timeoutMs + controlMarginMs });
}
