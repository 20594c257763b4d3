import { setTimeout as delay } from "node:timers/promises";
import type { ComingUp } from "../evidence/comingUp.ts";
import type { Evidence, Probe, Transition } from "../evidence/evidence.ts";
import type { Observation } from "../evidence/observation.ts";
import { messageOf } from "../failure/failure.ts";
import { HostHealthWatch } from "../host/hostHealth.ts";
import { StandstillWatch } from "../host/standstill.ts";
import type { Machine } from "../machine/machine.ts";
import { together } from "../machine/together.ts";
import type { Progress } from "../progress/progress.ts";
import type { Keeper } from "../report/keeper.ts";
import { keepQuotes, type Quote } from "../report/quotes.ts";
import type { PairTopology } from "../topology/topology.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import type { OpenFlows } from "../traffic/openFlows.ts";
import { Lab } from "./lab.ts";
import { LabEvents, type RunningMachine } from "./labEvents.ts";
import type { LiveSnapshot } from "./liveSnapshot.ts";
import { lookAround } from "./lookAround.ts";
import { untilOwned, untilReplicated, unitsInTrouble } from "./pairStates.ts";
import { RunCapture, type CaptureChoice } from "./runCapture.ts";
import { RunTraffic, type RunTrafficOptions } from "./runTraffic.ts";
import { labOptions, startLab, type Begun, type StartedLab, type StartLabOptions } from "./startLab.ts";
import { askVersions } from "./versions.ts";
import { holdingsOf, type Holdings, type StateLook } from "./watchStates.ts";

export interface LabRunOptions extends Omit<StartLabOptions, "keptIn" | "writes" | "topology">, RunTrafficOptions {
  /** Keeps what is seen: the run's bundle. */
  readonly keeper: Keeper;
  /** Whether the lab is to be saved with its flows. */
  readonly savable?: boolean;
  /** Whether the run is captured. A lab that is to be saved is not. */
  readonly capture: CaptureChoice;
}

/**
 * A lab in which a run takes place: the machines, the agents and flows, and the evidence as it comes in. What is done to the pair is for the
 * caller to say; see `failover` and `failback`.
 */
export class LabRun implements AsyncDisposable {
  readonly lab: Lab;
  readonly topology: PairTopology;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly transitions: Transition[] = [];
  /** What the pair had to come to, where that is a matter of the verdict. */
  comingUp: ComingUp | undefined;
  /** How long each part took, by name, in milliseconds: `bootMs` and so on. */
  readonly durations: Record<string, number>;
  readonly begun: Begun;
  /** Of the guests' packages under test. */
  versions: Readonly<Record<string, string>> = {};
  readonly #keeper: Keeper;
  readonly #capture: RunCapture | undefined;
  readonly #traffic: RunTraffic;
  readonly #begunAtMs: number;
  readonly #health = new HostHealthWatch();
  readonly #standstills: StandstillWatch;
  readonly #events: LabEvents;
  /** Firewalls that were found to keep no external cache. */
  readonly #injecting = new Set<string>();

  private constructor(options: Omit<LabRunOptions, "cold">, { lab, begun, begunAtMs, durations }: StartedLab, capture: RunCapture | undefined, traffic: RunTraffic) {
    const { topology } = options;
    this.lab = lab;
    this.begun = begun;
    this.#begunAtMs = begunAtMs;
    this.durations = { ...durations };
    this.topology = topology;
    this.progress = options.progress;
    this.signal = options.signal;
    this.#keeper = options.keeper;
    this.#capture = capture;
    this.#traffic = traffic;
    this.#health.start();
    this.#standstills = new StandstillWatch(() => lab.names.map((name) => lab.machine(name)).filter(({ isOn }) => isOn));
    this.#standstills.start();
    this.#events = new LabEvents(options);
  }

  /** Brings the topology up with its config trees and takes up its agents. @throws Failure when something does not start; nothing is left running then. */
  static async start(options: LabRunOptions): Promise<LabRun> {
    const started = await startLab({ ...options, keptIn: options.keeper.folder, writes: options.savable === true ? "kept" : "private" });
    return LabRun.#over(options, started, (run) => run.#traffic.startDenied());
  }

  /** Brings a lab back that was saved with its flows; they speak on. @throws Failure when it cannot be; nothing is left running then. */
  static async restore(options: Omit<LabRunOptions, "cold" | "savable">, live: LiveSnapshot): Promise<LabRun> {
    const begin = performance.now();
    const lab = await Lab.restore(await labOptions({ ...options, keptIn: options.keeper.folder }), live.lab);
    const begunAtMs = performance.now();
    const durations = { restoreMs: Math.round(begunAtMs - begin) };
    return LabRun.#over(options, { lab, begun: "live", begunAtMs, durations }, (run) => run.#traffic.takeUp(live.flows));
  }

  static async #over(options: Omit<LabRunOptions, "cold">, started: StartedLab, begin: (run: LabRun) => Promise<void>): Promise<LabRun> {
    let run: LabRun | undefined;
    let capture: RunCapture | undefined;
    try {
      if (options.savable !== true) capture = await RunCapture.start(options.capture, options);
      const traffic = await RunTraffic.connect(started.lab, options);
      run = new LabRun(options, started, capture, traffic);
      const [, versions] = await Promise.all([begin(run), askVersions(started.lab.machine(options.topology.client).shell, { ...options, imageId: options.prepared.image.id })]);
      run.versions = versions;
      return run;
    } catch (error) {
      if (run === undefined) await capture?.[Symbol.asyncDispose]();
      await (run ?? started.lab)[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Saves the lab with its flows into a folder: everybody holds their breath until nothing is under way, for frames between machines are in none of
   * them. Stays paused. @throws Failure when the flows do not settle, or the lab cannot be saved.
   */
  async save(folder: string): Promise<LiveSnapshot> {
    const flows = await this.#traffic.hold();
    return { lab: await this.lab.save(folder), flows };
  }

  /** Milliseconds since the lab came up. */
  sinceBegun(): number {
    return performance.now() - this.#begunAtMs;
  }

  machine(name: string): Machine {
    return this.lab.machine(name);
  }

  /** The flows of the run. @throws Failure when none were opened. */
  get flows(): OpenFlows {
    return this.#traffic.flows;
  }

  /** Measures how long a part of the run takes. */
  async timed<T>(name: string, part: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await part();
    } finally {
      this.durations[name] = Math.round(performance.now() - begin);
    }
  }

  /** Waits until `owner` alone holds the virtual addresses. What was seen is for the checks to judge. @throws as untilOwned. */
  ownedBy(owner: string): ReturnType<typeof untilOwned> {
    return untilOwned(owner, () => this.#firewallsOn(), this.topology, this);
  }

  /** Which virtual addresses each firewall that is up holds. @throws the signal's reason. */
  async holders(): Promise<Holdings> {
    return holdingsOf(this.#firewallsOn(), this.topology, this.signal);
  }

  /** The units in trouble of the firewalls that are up, and the bundle's files of that. @throws as unitsInTrouble. */
  troubledUnits(): ReturnType<typeof unitsInTrouble> {
    return unitsInTrouble(this.#firewallsOn(), { keeper: this.#keeper, progress: this.progress, signal: this.signal });
  }

  /** Opens flows through the firewalls and waits until each has moved. @throws as RunTraffic.open. */
  open(specs: readonly FlowSpec[], within?: number): Promise<OpenFlows> {
    return this.#traffic.open(specs, within);
  }

  /** Waits until the state of every flow is where a firewall keeps the other's. @param within milliseconds. @throws as untilReplicated. */
  async replicatedTo(name: string, within?: number): Promise<StateLook> {
    const { place, ...look } = await untilReplicated(this.machine(name).shell, this.flows, { keeper: this.#keeper, within, progress: this.progress, signal: this.signal });
    if (place === "kernel's table") this.#injecting.add(name);
    return look;
  }

  /** Looks at everything that is on, and keeps the raw answers and the daemons' journals. @throws as lookAround. */
  async observe(moment: string): Promise<Observation> {
    const { topology, progress, signal } = this;
    const endpoints = [topology.client, topology.server].map((name) => this.machine(name).shell);
    const firewalls = this.#runningFirewalls().map(({ shell, powerOn }) => ({ shell: together(shell), powerOn }));
    const [observation] = await Promise.all([
      lookAround({ moment, topology, firewalls: firewalls.map(({ shell }) => shell), endpoints, keeper: this.#keeper, progress, signal }),
      this.#events.read(moment, firewalls),
    ]);
    return observation;
  }

  /** Keeps lines of raw answers for people. @throws as keepQuotes. */
  quote(name: string, about: string, quotes: readonly Quote[]): Promise<void> {
    return keepQuotes(this.#keeper, name, about, quotes);
  }

  /** Follows from now on what the firewalls that are up tell of themselves, and measures their clocks. @throws the signal's reason. */
  async followEvents(): Promise<void> {
    await this.#events.follow(this.#runningFirewalls());
  }

  /** Puts the policy's questions. @param takeoverMs how long those during a takeover go on. @throws Failure when a machine does not answer. */
  ask(moment: Probe["moment"], takeoverMs?: number): Promise<Probe[]> {
    return this.#traffic.ask(moment, takeoverMs);
  }

  /** Lets traffic flow for a while. */
  async wait(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.signal });
  }

  /** Lets traffic flow until so many milliseconds since the lab came up, and never less: a timer of Node's counts whole milliseconds, and may end one early. */
  async waitUntil(sinceBegunMs: number): Promise<void> {
    for (let left = sinceBegunMs - this.sinceBegun(); left > 0; left = sinceBegunMs - this.sinceBegun()) await this.wait(Math.ceil(left));
  }

  /** Measures the clocks again: over a long run they drift. */
  measureClocks(): Promise<void> {
    return this.#traffic.measureClocks();
  }

  /** Lets what is in flight arrive, collects the ledgers of the flows, if there are any, and keeps the capture. @throws Failure */
  async collect(): Promise<void> {
    await this.#events.keep();
    await this.#traffic.drain();
    await Promise.all([this.#traffic.collect(), this.keepCapture()]);
  }

  /** Stops the capture, if there is one, and keeps it. Idempotent. @throws Failure when it cannot be kept. */
  async keepCapture(): Promise<void> {
    await this.#capture?.keep();
  }

  /** All evidence so far. `interrupted` says why the run did not come to its end, if it did not. */
  evidence(interrupted?: unknown): Evidence {
    return {
      topology: this.topology.name,
      flows: this.#traffic.ledgers,
      clocks: [...this.#traffic.clocks, ...this.#events.clocks],
      transitions: this.transitions,
      events: this.#events.events(),
      hostHealth: { ...this.#health.health(), standstills: this.#standstills.standstills(), ...(this.#traffic.unread && { unreadDatagrams: this.#traffic.unread }) },
      ...(this.#capture?.record !== undefined && { capture: this.#capture.record }),
      ...(this.comingUp !== undefined && { comingUp: this.comingUp }),
      ...(this.#injecting.size > 0 && { injecting: [...this.#injecting] }),
      ...(interrupted !== undefined && { interrupted: messageOf(interrupted) }),
    };
  }

  #firewallsOn(): Machine["shell"][] {
    return this.topology.machines
      .filter(({ role, name }) => role === "firewall" && this.lab.isUp(name))
      .map(({ name }) => this.machine(name).shell);
  }

  #runningFirewalls(): RunningMachine[] {
    return this.#firewallsOn().map((shell) => ({ shell, powerOn: this.lab.powerOns(shell.name) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#health.stop();
    this.#standstills.stop();
    await this.#events[Symbol.asyncDispose]();
    await this.#traffic[Symbol.asyncDispose]();
    await this.#capture?.[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
  }
}
