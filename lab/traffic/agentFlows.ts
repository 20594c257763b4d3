import { randomInt } from "node:crypto";
import type { FlowLedger } from "../evidence/ledger.ts";
import type { Step } from "../progress/progress.ts";
import type { SshIdentity } from "./agent/sshIdentity.ts";
import type { AgentClient } from "./agentClient.ts";
import { AgentWatch } from "./agentWatch.ts";
import { collectLedgers } from "./collect.ts";
import { int32sOf } from "./packed.ts";
import type { PlacedFlow } from "./placedFlow.ts";
import type { Result } from "./protocol.ts";
import { untilOpen, type OpeningOptions } from "./untilOpen.ts";

export interface AgentFlowsOptions extends Omit<OpeningOptions, "session"> {
  /** Where the server's agent listens. */
  readonly listenAddress: string;
  /** Needed for ssh flows. */
  readonly sshIdentity?: SshIdentity;
}

/** Open flows, as the host knows them: with this they are taken up again. Plain data. */
export interface FlowsRecord {
  readonly session: number;
  readonly woken: boolean;
  readonly flows: readonly PlacedFlow[];
}

/** The flows of one opening: one session, the same in both agents. Of ssh flows the client's agent knows all; the server's own sshd serves them. */
export class AgentFlows implements AsyncDisposable {
  readonly flows: readonly PlacedFlow[];
  readonly session: number;
  readonly #client: AgentClient;
  readonly #server: AgentClient;
  #woken = false;

  private constructor({ client, server }: Pick<AgentFlowsOptions, "client" | "server">, session: number, flows: readonly PlacedFlow[]) {
    this.#client = client;
    this.#server = server;
    this.session = session;
    this.flows = flows;
  }

  /** Flows that were opened before, by another process or in a lab that was saved since. */
  static takenUp({ session, flows, woken }: FlowsRecord, agents: Pick<AgentFlowsOptions, "client" | "server">): AgentFlows {
    const taken = new AgentFlows(agents, session, flows);
    taken.#woken = woken;
    return taken;
  }

  /** What the host knows of the flows; all else is in the agents. */
  record(): FlowsRecord {
    return { session: this.session, woken: this.#woken, flows: this.flows };
  }

  /** Opens the flows. @throws Failure when one ends at once, or not all are open on both sides within the bound. */
  static async open(options: AgentFlowsOptions): Promise<AgentFlows> {
    const { client, server, serverAddress, listenAddress, flows, sshIdentity, signal } = options;
    const session = randomInt(1, 2 ** 32);
    const orders = flows.map(({ spec: { kind, mode, intervalMs, port, source } }, flow) => ({ flow, kind, mode, intervalMs, port, ...(source !== undefined && { source }) }));
    try {
      await server.request("open", { session, role: "server", address: listenAddress, flows: orders }, { signal });
      await client.request("open", { session, role: "client", address: serverAddress, flows: orders, ...(sshIdentity && { identity: sshIdentity }) }, { signal });
      return new AgentFlows(options, session, await untilOpen({ ...options, session }));
    } catch (error) {
      await closeSession(session, [client, server]);
      throw error;
    }
  }

  /** Idle flows are told: the server speaks first, and goes on. */
  async wake(signal: AbortSignal): Promise<void> {
    this.#woken = true;
    await this.#server.request("wake", { session: this.session }, { signal });
    await this.#client.request("wake", { session: this.session }, { signal });
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#client.request("stop", { session: this.session }, { signal });
    await this.#server.request("stop", { session: this.session }, { signal });
  }

  async speak(signal: AbortSignal): Promise<void> {
    await this.#server.request("speak", { session: this.session }, { signal });
    await this.#client.request("speak", { session: this.session }, { signal });
  }

  /** Waits for every flow to bring over a record sent after a moment (host's epoch clock, milliseconds). Clocks are measured anew. */
  async watch(afterMs: number, idleCounts: boolean, signal: AbortSignal): Promise<AgentWatch> {
    const [client, server] = [this.#client, this.#server];
    const clientClock = await client.clock(signal);
    const serverClock = await server.clock(signal);
    return new AgentWatch({ session: this.session, client, server, clientClock, serverClock, flows: this.flows, woken: this.#woken, afterMs, idleCounts });
  }

  /** Ids of flows with something begun or sent that has not arrived, on a side that can still get it. */
  async inFlight(signal: AbortSignal): Promise<{ readonly ids: readonly string[]; readonly received: number }> {
    const [client, server] = await this.#progress(signal);
    const [clientState, serverState] = [int32sOf(client.state), int32sOf(server.state)];
    const lacks = (sent: Int32Array, highest: Int32Array, flow: number): boolean => (highest[flow] ?? -1) + 1 < (sent[flow] ?? 0);
    const [clientSent, serverSent, clientHighest, serverHighest] = [int32sOf(client.sent), int32sOf(server.sent), int32sOf(client.highest), int32sOf(server.highest)];
    const unanswered = int32sOf(client.unanswered);
    const ids = this.flows.flatMap(({ id, spec }, flow) => {
      const waits =
        spec.kind === "ssh"
          ? clientState[flow] === 1 && (unanswered[flow] ?? 0) > 0
          : clientState[flow] === 1 && serverState[flow] === 1 && (lacks(clientSent, serverHighest, flow) || lacks(serverSent, clientHighest, flow));
      return waits ? [id] : [];
    });
    const received = [...int32sOf(client.received), ...int32sOf(server.received)].reduce((sum, count) => sum + count, 0);
    return { ids, received };
  }

  /** What both sides noted, joined. `strays`: what came in at the server's agent and named no flow. @throws Failure when an agent does not answer. */
  async ledgers(step: Step, signal: AbortSignal): Promise<{ readonly ledgers: FlowLedger[]; readonly strays: number }> {
    const [client, server] = await this.#progress(signal);
    const ledgers = await collectLedgers({ session: this.session, client: this.#client, server: this.#server, flows: this.flows, clientProgress: client, serverProgress: server, step, signal });
    return { ledgers, strays: server.strays };
  }

  /** Closes the flows on both sides. A machine that is gone has closed them already. */
  async [Symbol.asyncDispose](): Promise<void> {
    await closeSession(this.session, [this.#client, this.#server]);
  }

  #progress(signal: AbortSignal): Promise<[Result<"progress">, Result<"progress">]> {
    const { session } = this;
    return Promise.all([this.#client.request("progress", { session }, { signal }), this.#server.request("progress", { session }, { signal })]);
  }
}

async function closeSession(session: number, agents: readonly AgentClient[]): Promise<void> {
  await Promise.allSettled(agents.map((agent) => agent.request("close", { session }, { signal: AbortSignal.timeout(5_000) })));
}
