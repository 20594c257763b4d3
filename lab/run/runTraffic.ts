import type { Promises } from "../config/promises.ts";
import type { Probe } from "../evidence/evidence.ts";
import type { Clock, FlowLedger } from "../evidence/ledger.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import type { MachineShell } from "../machine/shell.ts";
import { parseUnreadDatagrams, udpCountersCommand } from "../observe/unreadDatagrams.ts";
import type { Progress } from "../progress/progress.ts";
import { machineSpec, managementAddressOf, type PairTopology } from "../topology/topology.ts";
import { AgentClient } from "../traffic/agentClient.ts";
import type { FlowsRecord } from "../traffic/agentFlows.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import { openFlows, OpenFlows } from "../traffic/openFlows.ts";
import { askPolicy } from "../traffic/policyProbes.ts";
import { agentPort } from "../traffic/protocol.ts";
import type { Lab } from "./lab.ts";
import { allowedService, policyAsked, startAllowed, startDenied, type PolicyAsked } from "./policyQuestion.ts";
import type { Prepared } from "./prepare.ts";
import { unmovedFlows, unsettledFlows } from "./stuckFlows.ts";

export interface RunTrafficOptions {
  readonly topology: PairTopology;
  readonly prepared: Prepared;
  /** What the config tree promises: what flows may be opened, what service the policy refuses. */
  readonly promises: Promises;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

const movingWithinMs = 30_000;
const settledWithinMs = 15_000;

/** What a run sends through its lab's firewalls: flows, held by the endpoints' agents, and the policy's questions. */
export class RunTraffic implements AsyncDisposable {
  /** Of the agents, against the host's. */
  readonly clocks: Clock[] = [];
  /** What the flows sent and got, once it was collected. */
  ledgers: FlowLedger[] = [];
  /** Datagrams that reached an endpoint and that its kernel dropped during the run, as nobody read them in time; once the ledgers were collected. */
  unread: { readonly machine: string; readonly count: number }[] | undefined;
  readonly #options: RunTrafficOptions;
  readonly #client: AgentClient;
  readonly #server: AgentClient;
  readonly #policy: PolicyAsked;
  /** Of each endpoint, by its name: datagrams that its kernel had dropped before the run. */
  readonly #unreadBefore: ReadonlyMap<string, number>;
  #flows: OpenFlows | undefined;

  private constructor(options: RunTrafficOptions, lab: Lab, client: AgentClient, server: AgentClient, unreadBefore: ReadonlyMap<string, number>) {
    this.#options = options;
    this.#client = client;
    this.#server = server;
    this.#unreadBefore = unreadBefore;
    this.#policy = policyAsked(lab, options.topology, { client, server }, options.promises);
  }

  /** Takes up the agents of a lab. @throws Failure when one does not answer. */
  static async connect(lab: Lab, options: RunTrafficOptions): Promise<RunTraffic> {
    const { topology, signal } = options;
    const connect = (name: string) => AgentClient.connect({ name, address: managementAddressOf(machineSpec(topology, name)), port: agentPort }, { signal });
    const shells = [topology.client, topology.server].map((name) => lab.machine(name).shell);
    const [client, server, unread] = await Promise.all([connect(topology.client), connect(topology.server), unreadDatagrams(shells, signal)]);
    return new RunTraffic(options, lab, client, server, unread);
  }

  /** Makes the service run that the policy is to refuse. @throws Failure when it does not. */
  startDenied(): Promise<void> {
    return startDenied(this.#policy, this.#options.signal);
  }

  /** The flows. @throws Failure when none were opened. */
  get flows(): OpenFlows {
    if (this.#flows === undefined) {
      throw new Failure({ tried: "use the run's flows", seen: "none were opened", remedy: "Call open first", exit: exitCode.usage });
    }
    return this.#flows;
  }

  /** Takes up flows that were saved with the lab, and lets them speak on. @throws Failure when an agent does not answer. */
  async takeUp(record: FlowsRecord): Promise<void> {
    const { progress, signal } = this.#options;
    this.#flows = OpenFlows.takeUp(record, { client: this.#client, server: this.#server, progress });
    await this.#flows.speak(signal);
    await this.measureClocks();
  }

  /**
   * Opens flows through the firewalls and waits until each has moved.
   * @param within milliseconds for all to open, and as many again for all to move; 120 s and 30 s unless another time is given.
   * @throws FlowsNotOpen when one cannot be opened or does not move; Failure when an agent does not answer.
   */
  async open(specs: readonly FlowSpec[], within?: number): Promise<OpenFlows> {
    const { topology, prepared, progress, signal } = this.#options;
    await startAllowed(this.#policy, specs, signal);
    this.#flows = await openFlows({
      client: this.#client,
      server: this.#server,
      serverAddress: this.#policy.server.address,
      specs,
      sshIdentity: { username: "root", privateKey: prepared.keys.clientPrivateKey, hostKey: prepared.keys.hostKeys[topology.server]?.publicKeyLine ?? "" },
      progress,
      signal,
      ...(within !== undefined && { within }),
    });
    await this.measureClocks();
    const { notResumed } = await this.#flows.moving({ within: within ?? movingWithinMs, signal });
    if (notResumed.length > 0) throw unmovedFlows(notResumed, specs.length, topology.active);
    return this.#flows;
  }

  /** Lets nobody speak until nothing is under way, and gives the agents up: what the host needs to take the flows up again. @throws Failure when they do not settle. */
  async hold(): Promise<FlowsRecord> {
    const unsettled = await this.flows.hold({ within: settledWithinMs, signal: this.#options.signal });
    if (unsettled.length > 0) throw unsettledFlows(unsettled, settledWithinMs);
    const record = this.flows.record();
    this.#client.reconnect();
    this.#server.reconnect();
    return record;
  }

  /** Puts the policy's questions. @param takeoverMs how long those during a takeover go on. @throws Failure when a machine does not answer. */
  async ask(moment: Probe["moment"], takeoverMs?: number): Promise<Probe[]> {
    const { progress, signal } = this.#options;
    using step = progress.step(`new, denied and forged connections (${moment})`);
    const allowed = allowedService(
      this.#policy,
      this.flows.flows.map(({ spec }) => spec),
    );
    const probes = await askPolicy({ ...this.#policy, allowed }, { moment, signal, ...(takeoverMs !== undefined && { takeoverMs }) });
    step.done(probes.map(({ id, outcome, packetsThrough }) => `${id} ${outcome}, ${packetsThrough} through`).join("; "));
    return probes;
  }

  /** Measures the agents' clocks again: over a long run they drift. @throws Failure when an agent does not answer, or no flows were opened. */
  async measureClocks(): Promise<void> {
    this.clocks.push(...(await this.flows.clocks(this.#options.signal)));
  }

  /** Lets nobody speak any more, and what is in flight arrive. @throws Failure when an agent does not answer. */
  async drain(): Promise<void> {
    await this.#flows?.drain({ signal: this.#options.signal });
  }

  /** Lets what is in flight arrive, and collects the flows' ledgers, if there are any. @throws Failure when an agent or a machine does not answer. */
  async collect(): Promise<void> {
    if (this.#flows === undefined) return;
    await this.measureClocks();
    const { signal } = this.#options;
    this.ledgers = await this.#flows.ledgers({ signal });
    const unread = await unreadDatagrams([this.#policy.client.shell, this.#policy.server.shell], signal);
    this.unread = [...unread].map(([machine, count]) => ({ machine, count: count - (this.#unreadBefore.get(machine) ?? 0) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** By machine: how many datagrams its kernel has dropped so far because nobody read them in time. @throws Failure when one does not answer. */
async function unreadDatagrams(shells: readonly MachineShell[], signal: AbortSignal): Promise<Map<string, number>> {
  return new Map(await Promise.all(shells.map(async (shell) => [shell.name, parseUnreadDatagrams(await shell.must(udpCountersCommand, { signal }))] as const)));
}
