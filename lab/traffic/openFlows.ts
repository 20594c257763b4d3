import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, FlowLedger } from "../evidence/ledger.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";
import type { SshIdentity } from "./agent/sshIdentity.ts";
import type { AgentClient } from "./agentClient.ts";
import { AgentFlows, type FlowsRecord } from "./agentFlows.ts";
import type { FlowSpec } from "./flowSpec.ts";
import { hostClock } from "./hostClock.ts";
import type { NamedSpec, PlacedFlow } from "./placedFlow.ts";
import type { Resumption } from "./watch.ts";

export interface OpenFlowsOptions {
  /** The agent on the machine that opens flows. */
  readonly client: AgentClient;
  /** The agent on the machine that answers them. */
  readonly server: AgentClient;
  /** IPv4 address at which flows reach the server. */
  readonly serverAddress: string;
  /** Where the server listens, when that is another address than the one that flows go to. */
  readonly listenAddress?: string;
  readonly specs: readonly FlowSpec[];
  /** Who logs in to the server's sshd. Needed for ssh flows only. */
  readonly sshIdentity?: SshIdentity;
  /** Milliseconds for all flows to open. Default 120 s. */
  readonly within?: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Bounded {
  /** Milliseconds. */
  readonly within: number;
  readonly signal: AbortSignal;
}

const pollMs = 300;
/** A machine that is to be saved waits with everybody silent: its flows should not stand still for longer than they must. */
const holdPollMs = 50;
const defaultOpenMs = 120_000;
const defaultDrainMs = 15_000;
/** When nothing came in for so long, what datagrams are still missing are lost. */
const quietMs = 2_000;

/**
 * Opens flows through the firewalls; they live in the guests' agents until disposed of.
 * @throws Failure when a flow cannot be opened, or a specification does not fit the machines.
 */
export async function openFlows(options: OpenFlowsOptions): Promise<OpenFlows> {
  const { client, server, serverAddress, listenAddress = serverAddress, specs, sshIdentity, within = defaultOpenMs, progress, signal } = options;
  if (specs.length === 0) throw refused("no flows were asked for", "Ask for at least one: without flows nothing can be judged");
  const flows = nameFlows(specs, server.name);
  if (sshIdentity === undefined && specs.some(({ kind }) => kind === "ssh")) throw refused("ssh flows were asked for without an identity", "Say who logs in");
  using step = progress.step(`${specs.length} flows to open`, client.name);
  const agentFlows = await AgentFlows.open({ client, server, serverAddress, listenAddress, flows, within, step, signal, ...(sshIdentity && { sshIdentity }) });
  step.done(`${specs.length} flows open`);
  return new OpenFlows(client, server, agentFlows, progress);
}

/** Flows that live. */
export class OpenFlows implements AsyncDisposable {
  readonly #client: AgentClient;
  readonly #server: AgentClient;
  readonly #agentFlows: AgentFlows;
  readonly #progress: Progress;
  #drained = false;
  /** Flows that did not resume when they were waited for last. */
  #lost: readonly string[] = [];

  constructor(client: AgentClient, server: AgentClient, agentFlows: AgentFlows, progress: Progress) {
    this.#client = client;
    this.#server = server;
    this.#agentFlows = agentFlows;
    this.#progress = progress;
  }

  /** Takes up flows that are open already, as `record` told them: in a lab that was saved and is restored. */
  static takeUp(record: FlowsRecord, { client, server, progress }: Pick<OpenFlowsOptions, "client" | "server" | "progress">): OpenFlows {
    return new OpenFlows(client, server, AgentFlows.takenUp(record, { client, server }), progress);
  }

  /** What the host knows of the flows, to take them up again. */
  record(): FlowsRecord {
    return this.#agentFlows.record();
  }

  /** Every flow with its tuples before and after NAT. */
  get flows(): readonly PlacedFlow[] {
    return this.#agentFlows.flows;
  }

  /**
   * Waits until every flow brought a record over that was sent from now on, in each direction that speaks. An idle flow that nobody woke
   * counts while it is open: it has no record to show. @throws Failure when an agent does not answer; the signal's reason.
   */
  moving({ within, signal }: Bounded): Promise<Resumption> {
    return this.#moved(Date.now(), true, `${this.flows.length} flows to move`, within, signal);
  }

  /**
   * Waits until every flow brought a record over that was sent after `afterMs` (host's epoch clock, milliseconds), in each direction that
   * speaks. An idle flow that nobody woke cannot show that it lives, and is among those that did not resume.
   * @throws Failure when an agent does not answer; the signal's reason. Flows that do not resume are told, not thrown.
   */
  async resumed({ afterMs, within, signal }: Bounded & { readonly afterMs: number }): Promise<Resumption> {
    const resumption = await this.#moved(afterMs, false, `${this.flows.length} flows to resume`, within, signal);
    this.#lost = resumption.notResumed;
    return resumption;
  }

  /** Flows that brought a record over that was sent after `afterMs` (host's epoch clock, milliseconds), in each direction that speaks; and idle ones that are open. @throws Failure when an agent does not answer. */
  async movedSince(afterMs: number, signal: AbortSignal): Promise<readonly string[]> {
    const watch = await this.#agentFlows.watch(afterMs, true, signal);
    return [...(await watch.poll(signal)).keys()];
  }

  /** Idle flows are told: the server speaks first, and goes on. @throws Failure when an agent does not answer. */
  async wake(signal: AbortSignal): Promise<void> {
    await this.#agentFlows.wake(signal);
  }

  /**
   * Nobody begins to speak any more; waits until all that was sent has arrived, nothing has come in for 2 s where only datagrams are missing, or what flows sent that did not resume,
   * or `within` (milliseconds, default 15 s) has passed. Gives the ids of flows with something still in flight. @throws Failure when an agent does not answer.
   */
  async drain({ within = defaultDrainMs, signal }: { readonly within?: number; readonly signal: AbortSignal }): Promise<readonly string[]> {
    await this.#agentFlows.stop(signal);
    this.#drained = true;
    return this.#settled(pollMs, within, signal);
  }

  /**
   * As `drain`, for flows that are to go on: looks often, and `ledgers` drains all the same. After it nobody speaks until `speak`.
   * Gives the ids of flows with something still in flight after `within` milliseconds. @throws Failure when an agent does not answer.
   */
  async hold({ within, signal }: Bounded): Promise<readonly string[]> {
    await this.#agentFlows.stop(signal);
    return this.#settled(holdPollMs, within, signal);
  }

  /** After a drain or a hold: everybody speaks again. @throws Failure when an agent does not answer. */
  async speak(signal: AbortSignal): Promise<void> {
    this.#drained = false;
    await this.#agentFlows.speak(signal);
  }

  /** All ledgers. Drains first, unless that was done. @throws Failure when an agent does not answer. */
  async ledgers({ within = defaultDrainMs, signal }: { readonly within?: number; readonly signal: AbortSignal }): Promise<FlowLedger[]> {
    if (!this.#drained) await this.drain({ within, signal });
    using step = this.#progress.step("ledgers of all flows");
    const { ledgers, strays } = await this.#agentFlows.ledgers(step, signal);
    if (strays > 0) this.#progress.note(`${strays} connections or datagrams reached ${this.#server.name} that name no flow of ours`);
    step.done(`${this.flows.length} ledgers`);
    return ledgers;
  }

  /** The clocks of both agents and of this process against the host's epoch clock, measured now. @throws Failure when an agent does not answer. */
  async clocks(signal: AbortSignal): Promise<Clock[]> {
    return [await this.#client.clock(signal), await this.#server.clock(signal), hostClock()];
  }

  /** Closes every flow. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agentFlows[Symbol.asyncDispose]();
  }

  async #moved(afterMs: number, idleCounts: boolean, what: string, within: number, signal: AbortSignal): Promise<Resumption> {
    using step = this.#progress.step(what, this.#client.name);
    const deadlineMs = performance.now() + within;
    const watch = await this.#agentFlows.watch(afterMs, idleCounts, signal);
    for (;;) {
      const resumedAtMs = await watch.poll(signal);
      const notResumed = this.flows.map(({ id }) => id).filter((id) => !resumedAtMs.has(id));
      if (notResumed.length === 0 || performance.now() >= deadlineMs) {
        step.done(`${resumedAtMs.size} of ${this.flows.length}`);
        return { resumedAtMs, notResumed };
      }
      step.update(`${resumedAtMs.size} of ${this.flows.length}, ${notResumed[0] ?? ""} not yet`);
      await sleep(pollMs, undefined, { signal });
    }
  }

  /** Waits, when all were told to stop, until nothing is in flight; where only datagrams are missing, or flows, until they are lost. Gives the flows that still wait. */
  async #settled(everyMs: number, within: number, signal: AbortSignal): Promise<readonly string[]> {
    using step = this.#progress.step("what is in flight to arrive");
    const startedMs = performance.now();
    let lastReceived = -1;
    let lastChangeMs = startedMs;
    const losable = new Set([...this.flows.filter(({ spec }) => spec.kind === "udp").map(({ id }) => id), ...this.#lost]);
    for (;;) {
      const { ids, received } = await this.#agentFlows.inFlight(signal);
      const nowMs = performance.now();
      if (received !== lastReceived) [lastReceived, lastChangeMs] = [received, nowMs];
      const onlyLost = ids.every((id) => losable.has(id)) && nowMs - lastChangeMs >= quietMs;
      if (ids.length === 0 || onlyLost || nowMs - startedMs >= within) {
        step.done(ids.length === 0 ? "all arrived" : `${ids.length} flows still wait for something`);
        return ids;
      }
      step.update(`${ids.length} flows still wait for something, ${ids[0] ?? ""} among them`);
      await sleep(everyMs, undefined, { signal });
    }
  }
}

function nameFlows(specs: readonly FlowSpec[], server: string): NamedSpec[] {
  const counts = new Map<string, number>();
  return specs.map((spec) => {
    if (spec.server !== server) throw refused(`a flow to ${spec.server} was asked for, but the agent is on ${server}`, `Open flows to ${server}`);
    const number = (counts.get(spec.kind) ?? 0) + 1;
    counts.set(spec.kind, number);
    return { id: `${spec.kind}-${number.toString().padStart(3, "0")}`, spec };
  });
}

function refused(seen: string, remedy: string): Failure {
  return new Failure({ tried: "open flows", seen, remedy, exit: exitCode.usage });
}
