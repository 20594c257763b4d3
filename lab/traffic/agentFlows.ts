import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint, FlowLedger, Tuple } from "../evidence/ledger.ts";
import { Failure } from "../failure/failure.ts";
import type { Step } from "../progress/progress.ts";
import type { AgentClient } from "./agentClient.ts";
import { AgentWatch } from "./agentWatch.ts";
import { collectLedgers } from "./collect.ts";
import type { FlowSpec } from "./flowSpec.ts";
import { int32sOf } from "./packed.ts";
import type { Result } from "./protocol.ts";
import type { MovementWatch } from "./watch.ts";

/** A flow between two agents, numbered by its place in the list. */
export interface NamedSpec {
  readonly id: string;
  readonly spec: FlowSpec;
}

/** Where an open flow runs. `tuple` as the client sees it, `natTuple` as the server does. */
export interface PlacedFlow extends NamedSpec {
  readonly tuple: Tuple;
  readonly natTuple: Tuple;
}

export interface AgentFlowsOptions {
  readonly client: AgentClient;
  readonly server: AgentClient;
  readonly serverAddress: string;
  readonly listenAddress: string;
  readonly flows: readonly NamedSpec[];
  readonly within: number;
  readonly step: Step;
  readonly signal: AbortSignal;
}

const pollMs = 300;

/** The tcp and udp flows of one opening: one session, the same in both agents. */
export class AgentFlows implements AsyncDisposable {
  readonly flows: readonly PlacedFlow[];
  readonly session: number;
  readonly #client: AgentClient;
  readonly #server: AgentClient;
  #woken = false;

  private constructor({ client, server }: AgentFlowsOptions, session: number, flows: readonly PlacedFlow[]) {
    this.#client = client;
    this.#server = server;
    this.session = session;
    this.flows = flows;
  }

  /** Opens the flows. @throws Failure when one ends at once, or not all are open on both sides within the bound. */
  static async open(options: AgentFlowsOptions): Promise<AgentFlows> {
    const { client, server, serverAddress, listenAddress, flows, signal } = options;
    const session = randomInt(1, 2 ** 32);
    const orders = flows.map(({ spec }, flow) => ({ flow, kind: spec.kind === "udp" ? ("udp" as const) : ("tcp" as const), mode: spec.mode, intervalMs: spec.intervalMs, port: spec.port }));
    try {
      await server.request("open", { session, role: "server", address: listenAddress, flows: orders }, { signal });
      await client.request("open", { session, role: "client", address: serverAddress, flows: orders }, { signal });
      await untilOpen(options, session);
      return new AgentFlows(options, session, await placed(options, session));
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
  async watch(afterMs: number, idleCounts: boolean, signal: AbortSignal): Promise<MovementWatch> {
    const [client, server] = [this.#client, this.#server];
    const clientClock = await client.clock(signal);
    const serverClock = await server.clock(signal);
    return new AgentWatch({ session: this.session, client, server, clientClock, serverClock, flows: this.flows, woken: this.#woken, afterMs, idleCounts });
  }

  /** Ids of flows with something sent that has not arrived, on a side that can still get it. */
  async inFlight(signal: AbortSignal): Promise<{ readonly ids: readonly string[]; readonly received: number }> {
    const [client, server] = await this.#progress(signal);
    const [clientState, serverState] = [int32sOf(client.state), int32sOf(server.state)];
    const lacks = (sent: Int32Array, highest: Int32Array, flow: number): boolean => (highest[flow] ?? -1) + 1 < (sent[flow] ?? 0);
    const [clientSent, serverSent, clientHighest, serverHighest] = [int32sOf(client.sent), int32sOf(server.sent), int32sOf(client.highest), int32sOf(server.highest)];
    const ids = this.flows.flatMap(({ id }, flow) => {
      const alive = clientState[flow] === 1 && serverState[flow] === 1;
      return alive && (lacks(clientSent, serverHighest, flow) || lacks(serverSent, clientHighest, flow)) ? [id] : [];
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

async function untilOpen({ client, server, flows, within, step, signal }: AgentFlowsOptions, session: number): Promise<void> {
  const deadlineMs = performance.now() + within;
  for (;;) {
    const [atClient, atServer] = await Promise.all([client.request("progress", { session }, { signal }), server.request("progress", { session }, { signal })]);
    const [clientState, accepted, received] = [int32sOf(atClient.state), int32sOf(atServer.accepted), int32sOf(atClient.received)];
    const closed = flows.filter(({ spec }, flow) => {
      const open = clientState[flow] === 1 && (accepted[flow] ?? 0) > 0 && (spec.kind !== "udp" || (received[flow] ?? 0) > 0);
      return !open;
    });
    if (closed.length === 0) return;
    step.update(`${flows.length - closed.length} of ${flows.length} flows open`);
    const ended = clientState.findIndex((state) => state === 2);
    if (ended < 0 && performance.now() < deadlineMs) {
      await sleep(pollMs, undefined, { signal });
      continue;
    }
    const places = await client.request("places", { session }, { signal });
    throw new Failure({
      tried: `open ${flows.length} flows from ${client.name} to ${server.name}`,
      seen: ended < 0 ? `${closed.length} not open after ${within} ms, ${closed[0]?.id ?? ""} among them` : `${flows[ended]?.id ?? ""} ended at once`,
      remedy: "Look at the firewalls' rules and drop counters, and whether the machines are overloaded",
      exit: 3,
      details: places.flows.flatMap(({ errors }, flow) => errors.map(({ code, message }) => `${flows[flow]?.id ?? ""}: ${code} ${message}`)).slice(0, 20),
    });
  }
}

async function placed({ client, server, serverAddress, flows, signal }: AgentFlowsOptions, session: number): Promise<PlacedFlow[]> {
  const atClient = (await client.request("places", { session }, { signal })).flows;
  const atServer = (await server.request("places", { session }, { signal })).flows;
  return flows.map(({ id, spec }, flow) => {
    const destination: Endpoint = { address: serverAddress, port: spec.port };
    const source = atClient[flow]?.local;
    const natSource = atServer[flow]?.sources[0];
    if (source === null || source === undefined || natSource === undefined) throw new RangeError(`${id} is open, but an agent does not say where`);
    return { id, spec, tuple: { source, destination }, natTuple: { source: natSource, destination: atServer[flow]?.local ?? destination } };
  });
}
