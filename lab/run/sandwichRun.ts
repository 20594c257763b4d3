import { setTimeout as delay } from "node:timers/promises";
import type { Evidence, Transition } from "../evidence/evidence.ts";
import type { Clock, FlowLedger } from "../evidence/ledger.ts";
import type { Observation } from "../evidence/observation.ts";
import type { Act, Balancing } from "../evidence/sandwich.ts";
import { messageOf } from "../failure/failure.ts";
import { HostHealthWatch } from "../host/hostHealth.ts";
import { labFolder } from "../host/labFolder.ts";
import { LoadGenerator, startAnswering } from "../load/loadGenerator.ts";
import type { LoadOrder } from "../load/order.ts";
import type { MachineShell } from "../machine/shell.ts";
import { together } from "../machine/together.ts";
import { parseAddresses } from "../observe/addresses.ts";
import { directorCommand, parseDirector } from "../observe/director.ts";
import { parseKernelLog } from "../observe/kernelLog.ts";
import { look, type LookOptions } from "../observe/look.ts";
import type { Progress } from "../progress/progress.ts";
import type { Keeper } from "../report/keeper.ts";
import { serverOf, type SandwichTopology } from "../topology/sandwich.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import { startNativeAgent, type NativeAgent } from "../load/nativeAgent.ts";
import { openFlows, type OpenFlows } from "../traffic/openFlows.ts";
import type { Lab } from "./lab.ts";
import { LabEvents, type RunningMachine } from "./labEvents.ts";
import { lookAround } from "./lookAround.ts";
import { RunCapture, type CaptureChoice } from "./runCapture.ts";
import { startLab, type Begun, type StartedLab, type StartLabOptions } from "./startLab.ts";
import { askVersions } from "./versions.ts";

export interface SandwichRunOptions extends Omit<StartLabOptions, "topology" | "keptIn" | "writes"> {
  readonly topology: SandwichTopology;
  /** Keeps what is seen. */
  readonly keeper: Keeper;
  readonly capture: CaptureChoice;
}

export interface ActOptions {
  readonly name: string;
  readonly order: LoadOrder;
  /** What happens under the load. */
  readonly meanwhile: () => Promise<unknown>;
}

/** Where a server answers as long as the lab is up, for the directors' health checks. */
const healthAddress = "172.30.0.140";

const opensWithinMs = 90_000;
const movesWithinMs = 30_000;

/** IPVS sums its counters every 2 s (Linux net/netfilter/ipvs/ip_vs_est.c, estimation_timer): what came in the last of them is not told before. In milliseconds. */
const countersSettleMs = 3_000;

/** A sandwich that is up, with its native hosts, and the evidence as it comes in. */
export class SandwichRun implements AsyncDisposable {
  readonly lab: Lab;
  readonly topology: SandwichTopology;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly transitions: Transition[] = [];
  readonly acts: Act[] = [];
  readonly begun: Begun;
  /** How long each part took, by name, in milliseconds. */
  readonly durations: Record<string, number>;
  /** Of the guests' packages under test. */
  readonly versions: Readonly<Record<string, string>>;
  readonly #keeper: Keeper;
  /** All that ends with it, the last begun first. */
  readonly #held: readonly AsyncDisposable[];
  readonly #capture: RunCapture;
  readonly #agents: { readonly client: NativeAgent; readonly server: NativeAgent };
  readonly #health = new HostHealthWatch();
  readonly #events: LabEvents;
  readonly #clocks: Clock[] = [];
  #flows: OpenFlows | undefined;
  #ledgers: FlowLedger[] = [];

  private constructor({ topology, keeper, progress, signal }: SandwichRunOptions, { lab, begun, durations }: StartedLab, capture: RunCapture, agents: { readonly client: NativeAgent; readonly server: NativeAgent }, versions: Readonly<Record<string, string>>, held: readonly AsyncDisposable[]) {
    this.#held = held;
    this.lab = lab;
    this.begun = begun;
    this.durations = { ...durations };
    this.versions = versions;
    this.topology = topology;
    this.progress = progress;
    this.signal = signal;
    this.#keeper = keeper;
    this.#capture = capture;
    this.#agents = agents;
    this.#events = new LabEvents({ topology, keeper, progress, signal });
    this.#health.start();
  }

  /** Brings the sandwich up with its config trees. @throws Failure when something does not start; nothing is left running then. */
  static async start(options: SandwichRunOptions): Promise<SandwichRun> {
    const { topology, prepared, keeper, signal } = options;
    const started = await startLab({ ...options, keptIn: keeper.folder, writes: "private" });
    const { lab } = started;
    const held: AsyncDisposable[] = [lab];
    try {
      const capture = await RunCapture.start(options.capture, options);
      held.unshift(capture);
      const agentOn = async (name: string): Promise<NativeAgent> => {
        const agent = await startNativeAgent(lab.native(name), { program: prepared.agent, folder: labFolder(), signal });
        held.unshift(agent);
        return agent;
      };
      if (topology.directorAddress !== undefined) {
        held.unshift(await startAnswering(lab.native(serverOf(topology).name), { port: 80, addresses: [healthAddress], signal }));
      }
      const client = await agentOn(topology.clients.name);
      const server = await agentOn(serverOf(topology).name);
      const versions = await askVersions(lab.machine(topology.router).shell, { ...options, imageId: prepared.image.id });
      return new SandwichRun(options, started, capture, { client, server }, versions, held);
    } catch (error) {
      for (const each of held) await each[Symbol.asyncDispose]();
      throw error;
    }
  }

  shell(name: string): MachineShell {
    return this.lab.machine(name).shell;
  }

  /** Lets time go by. */
  async wait(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.signal });
  }

  /** The flows with ledgers. @throws RangeError when none were opened. */
  get flows(): OpenFlows {
    if (this.#flows === undefined) throw new RangeError("no flows were opened: call open first");
    return this.#flows;
  }

  /** Opens flows from the clients' host to the first servers' host, and waits until each has moved. @throws Failure when they do not. */
  async open(specs: readonly FlowSpec[]): Promise<OpenFlows> {
    const { client, server } = this.#agents;
    const address = serverOf(this.topology).address;
    this.#flows = await openFlows({ client: client.client, server: server.client, serverAddress: address, specs, progress: this.progress, signal: this.signal });
    await this.measureClocks();
    await this.#flows.moving({ within: movesWithinMs, signal: this.signal });
    return this.#flows;
  }

  /** Measures the clocks of both agents, and this process's. @throws Failure when an agent does not answer. */
  async measureClocks(): Promise<void> {
    if (this.#flows !== undefined) this.#clocks.push(...(await this.#flows.clocks(this.signal)));
  }

  /** Load while something happens, with what the director and the firewalls tell before and after. @throws Failure when the load does not begin, or tells nothing. */
  async act({ name, order, meanwhile }: ActOptions): Promise<Act> {
    const { topology, signal } = this;
    using step = this.progress.step(`${order.clients.length} clients (${name})`);
    const [generator, balancing] = await Promise.allSettled([
      LoadGenerator.start({ clients: this.lab.native(topology.clients.name), servers: topology.servers.map((host) => this.lab.native(host.name)), order, signal }),
      this.#balancing(`${name}-before`),
    ]);
    if (generator.status === "rejected") throw generator.reason;
    await using load = generator.value;
    if (balancing.status === "rejected") throw balancing.reason;
    const before = balancing.value;
    const fromMs = Date.now();
    await load.open(opensWithinMs, signal);
    const openAtMs = Date.now();
    // What starts the clients takes the host's processors for a moment, and nothing is judged by it.
    this.#health.reset();
    await meanwhile();
    const record = await load.stop(signal);
    const untilMs = Date.now();
    await this.wait(countersSettleMs);
    const act: Act = { name, fromMs, openAtMs, untilMs, held: order.held, load: record, before, after: await this.#balancing(`${name}-after`) };
    this.acts.push(act);
    step.done(`${record.requests.outcome.length} requests, ${record.requests.outcome.filter((outcome) => outcome !== "ok").length} failed, ${record.lost.length} connections lost`);
    return act;
  }

  /** The director that has the duty: the one that holds the directors' address; where there is one alone, or nobody holds it, the first that is up. */
  async activeDirector(): Promise<string> {
    const { directors, director, directorAddress } = this.topology;
    const up = directors.filter((name) => this.lab.isUp(name));
    for (const name of directorAddress === undefined ? [] : up) {
      const addresses = parseAddresses(await this.shell(name).must("ip -j addr", { signal: this.signal }));
      if (addresses.some(({ address }) => address === directorAddress)) return name;
    }
    return up[0] ?? director;
  }

  /** What the director gave to whom, and what the firewalls logged. */
  async #balancing(label: string): Promise<Balancing> {
    const { topology, signal } = this;
    const options: LookOptions = { label, save: this.#keeper.save, signal };
    const firewalls = topology.firewalls.filter((name) => this.lab.isUp(name));
    const [director, logged] = await Promise.all([
      look(this.shell(await this.activeDirector()), "ipvs", directorCommand, parseDirector, options),
      Promise.all(firewalls.map(async (name) => [name, await look(this.shell(name), "loggedPackets", "dmesg", parseKernelLog, options)] as const)),
    ]);
    return { director, logged: Object.fromEntries(logged) };
  }

  /** Looks at everything of the firewalls that are on. @throws Failure when it cannot be kept. */
  async observe(moment: string): Promise<Observation> {
    const telling = this.#telling().map(({ shell, powerOn }) => ({ shell: together(shell), powerOn }));
    const firewalls = telling.flatMap(({ shell }) => (this.topology.firewalls.includes(shell.name) ? [shell] : []));
    const [observation] = await Promise.all([
      lookAround({ moment, topology: this.topology, firewalls, endpoints: [], keeper: this.#keeper, progress: this.progress, signal: this.signal }),
      this.#events.read(moment, telling),
    ]);
    return observation;
  }

  /** Follows from now on what the machines that have a substitute tell of themselves, those that are up. */
  async followEvents(): Promise<void> {
    await this.#events.follow(this.#telling());
  }

  #telling(): RunningMachine[] {
    const { directors, firewalls } = this.topology;
    return [...firewalls, ...(directors.length > 1 ? directors : [])].filter((name) => this.lab.isUp(name)).map((name) => ({ shell: this.lab.machine(name).shell, powerOn: this.lab.powerOns(name) }));
  }

  /** Lets what is in flight arrive, collects the ledgers, and keeps the capture. @throws Failure */
  async collect(): Promise<void> {
    await this.#events.keep();
    await this.measureClocks();
    if (this.#flows !== undefined) this.#ledgers = await this.#flows.ledgers({ signal: this.signal });
    await this.keepCapture();
  }

  /** Stops the capture, and keeps it. Idempotent. @throws Failure when it cannot be kept. */
  keepCapture(): Promise<void> {
    return this.#capture.keep();
  }

  /** All evidence so far. `interrupted` says why the run did not come to its end, if it did not. */
  evidence(interrupted?: unknown): Evidence {
    return {
      topology: this.topology.name,
      flows: this.#ledgers,
      clocks: [...this.#clocks, ...this.#events.clocks],
      transitions: this.transitions,
      events: this.#events.events(),
      hostHealth: this.#health.health(),
      acts: this.acts,
      ...(this.#capture.record !== undefined && { capture: this.#capture.record }),
      ...(interrupted !== undefined && { interrupted: messageOf(interrupted) }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#health.stop();
    await this.#events[Symbol.asyncDispose]();
    for (const each of this.#held) await each[Symbol.asyncDispose]();
  }
}
