import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { powerCut } from "../faults/powerCut.ts";
import { holdBridgePort, type BridgePort } from "../host/bridgePort.ts";
import { absent } from "../image/manifest.ts";
import { letRootInAtConsole } from "../machine/consoleShell.ts";
import type { GraphicalConsole } from "../machine/graphicalConsole.ts";
import type { Progress } from "../progress/progress.ts";
import { Lab } from "../run/lab.ts";
import { readSnapshot } from "../run/labSnapshot.ts";
import type { Prepared } from "../run/prepare.ts";
import type { LabDesktops } from "../run/labOptions.ts";
import { labOptions, startLab, type LabSetting } from "../run/startLab.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { isPair, machineSpec, nicOf, tapName, type PairTopology } from "../topology/topology.ts";
import type { FlowsRecord } from "../traffic/agentFlows.ts";
import type { FlowCounts } from "../traffic/flowSpec.ts";
import { machinesNow } from "./labStatus.ts";
import { isName } from "./place.ts";
import { openStandingFlows, takeUpStandingFlows, type StandingFlows, type StandingFlowsOptions } from "./standingFlows.ts";
import { handFaults, type HandFault, type LabStatus } from "./words.ts";

export interface StandingLabOptions {
  readonly topology: PairTopology | SandwichTopology;
  /** Config trees, lowest first, and what to call them. */
  readonly trees: readonly string[];
  readonly config: string;
  readonly prepared: Prepared;
  /** Machines with a graphical console; none where it is undefined. */
  readonly desktops: LabDesktops | undefined;
  /** Flows to open; none where all are 0. */
  readonly flows: FlowCounts;
  readonly cold: boolean;
  /** Keeps consoles and snapshots. */
  readonly folder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What was broken by hand, and what heals it. */
interface Broken {
  readonly id: HandFault;
  readonly target: string;
  readonly atMs: number;
  readonly heal: () => Promise<void>;
}

/** A flow speaks at least once in so many milliseconds, unless it stands still. */
const movedWithinMs = 3_000;

/** A lab that stands for whoever works with it by hand, until it is taken down. What is asked of it at once is done one after the other where it changes the lab. */
export class StandingLab implements AsyncDisposable {
  readonly topology: PairTopology | SandwichTopology;
  readonly #options: StandingLabOptions;
  readonly #upSinceMs = Date.now();
  readonly #broken = new Map<string, Broken>();
  /** Of each snapshot, by its name: what the host knows of the flows in it. */
  readonly #flowsIn = new Map<string, FlowsRecord | undefined>();
  #lab: Lab;
  #flows: StandingFlows | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(options: StandingLabOptions, lab: Lab) {
    this.topology = options.topology;
    this.#options = options;
    this.#lab = lab;
  }

  /** Brings a lab up, and flows through it. @throws Failure when something does not start; nothing is left then. */
  static async start(options: StandingLabOptions): Promise<StandingLab> {
    const { lab } = await startLab({ ...settingOf(options), cold: options.cold, writes: "kept" });
    const standing = new StandingLab(options, lab);
    try {
      await Promise.all(lab.names.map((name) => standing.#letRootIn(name)));
      if (asksForFlows(options)) standing.#flows = await openStandingFlows(lab, standing.#flowOptions());
      return standing;
    } catch (error) {
      await standing[Symbol.asyncDispose]();
      throw error;
    }
  }

  get lab(): Lab {
    return this.#lab;
  }

  /** A console that lets nobody in is told: the lab is of use without it. */
  async #letRootIn(name: string): Promise<void> {
    const { progress, signal } = this.#options;
    try {
      await letRootInAtConsole(this.#lab.machine(name).shell, signal);
    } catch (error) {
      signal.throwIfAborted();
      progress.note(`the console of ${name} lets nobody in: ${messageOf(error)}`);
    }
  }

  /** How the lab is now. What hangs is told as such, after 10 s. @throws the signal's reason. */
  async status(signal: AbortSignal): Promise<LabStatus> {
    const { topology, config, prepared } = this.#options;
    const [machines, flows, snapshots] = await Promise.all([machinesNow(this.#lab, topology, signal), this.#flowsNow(signal), this.#snapshotNames()]);
    return {
      topology: topology.name,
      config,
      accelerator: prepared.choice.accelerator,
      upSinceMs: this.#upSinceMs,
      machines,
      natives: (topology.natives ?? []).map(({ name }) => name),
      flows,
      broken: [...this.#broken.values()].map(({ id, target, atMs }) => ({ id, target, atMs })),
      snapshots,
      graphical: [...(this.#options.desktops?.consoles.keys() ?? [])],
    };
  }

  /** The graphical console of a machine. @throws Failure (usage) when it has none. */
  graphicalConsole(name: string): GraphicalConsole {
    const found = this.#options.desktops?.consoles.get(name);
    if (found !== undefined) return found;
    const others = [...(this.#options.desktops?.consoles.keys() ?? [])];
    throw new Failure({ tried: `open the graphical console of ${name}`, seen: `it has none; ${others.length === 0 ? "no machine of this lab has" : `${others.join(" and ")} ${others.length === 1 ? "has" : "have"} one`}`, remedy: `fwlab up --spice ${name} brings a lab up in which it has one`, exit: exitCode.usage });
  }

  async #flowsNow(signal: AbortSignal): Promise<LabStatus["flows"]> {
    const flows = this.#flows?.flows;
    if (flows === undefined) return null;
    const moving = new Set(await flows.movedSince(Date.now() - movedWithinMs, signal));
    const still = flows.flows.map(({ id }) => id).filter((id) => !moving.has(id));
    return { open: flows.flows.length, moving: moving.size, still };
  }

  /** Breaks something until it is healed. Gives what was seen of it. @throws Failure (usage) when the target is none, or is broken already. */
  fault(id: HandFault, target: string): Promise<string> {
    return this.#alone(async () => {
      const already = this.#broken.get(target);
      const refuse = (seen: string, remedy: string): Failure => new Failure({ tried: `${id} of ${target}`, seen, remedy, exit: exitCode.usage });
      if (already !== undefined) throw refuse(`it has a ${already.id} already`, `Heal it first: fwlab heal ${target}`);
      if (id === "power-cut") {
        const machine = this.#machineCalled(target, id);
        const { effect } = await powerCut(machine);
        this.#broken.set(target, { id, target, atMs: Date.now(), heal: async () => {
          await this.#lab.boot(target);
          await this.#letRootIn(target);
        } });
        return effect.measured;
      }
      const port = await this.#portOf(target, id);
      try {
        await port.set("shut");
      } catch (error) {
        await port[Symbol.asyncDispose]();
        throw error;
      }
      this.#broken.set(target, { id, target, atMs: Date.now(), heal: async () => port[Symbol.asyncDispose]() });
      return `the bridge's port ${port.name} is shut: frames pass it in neither direction, and ${target} keeps its carrier`;
    });
  }

  /** Heals what was broken by hand: one target, or all. Gives what was healed. @throws Failure (usage) when that target is not broken; Failure when it does not heal. */
  heal(target: string | undefined): Promise<string[]> {
    return this.#alone(async () => {
      const named = target === undefined ? [...this.#broken.values()] : [this.#broken.get(target)];
      const healed: string[] = [];
      for (const broken of named) {
        if (broken === undefined) {
          const others = [...this.#broken.keys()];
          throw new Failure({ tried: `heal ${target ?? ""}`, seen: `nothing was broken there by hand; ${others.length === 0 ? "nothing is" : `${others.join(" and ")} ${others.length === 1 ? "is" : "are"}`}`, remedy: "fwlab status tells what is broken", exit: exitCode.usage });
        }
        await broken.heal();
        this.#broken.delete(broken.target);
        healed.push(`${broken.id} of ${broken.target}`);
      }
      return healed;
    });
  }

  /** Saves all machines, and the flows in them, under a name; then the lab goes on. @throws Failure (usage) while something is broken, or where flows end in native hosts; Failure when it cannot be saved. */
  snapshot(name: string): Promise<void> {
    return this.#alone(async () => {
      const folder = this.#snapshotFolder(name);
      const refuse = (seen: string, remedy: string): Failure => new Failure({ tried: `save the lab as ${name}`, seen, remedy, exit: exitCode.usage });
      if (this.#broken.size > 0) throw refuse(`${[...this.#broken.keys()].join(" and ")} ${this.#broken.size === 1 ? "is" : "are"} broken`, "Heal it first: fwlab heal");
      if (this.#flows !== undefined && this.#flows.hold === undefined) throw refuse("its flows end in native hosts, which cannot be saved", "Bring a lab up with --flows 0");
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        const record = await this.#flows?.hold?.();
        await this.#lab.save(folder);
        this.#flowsIn.set(name, record);
      } finally {
        await this.#lab.resume();
        await this.#flows?.flows.speak(this.#options.signal);
      }
    });
  }

  /** Takes the lab back to what was saved under a name. @throws Failure (usage) when nothing was; Failure when it does not come back: then there is no lab any more. */
  restore(name: string): Promise<void> {
    return this.#alone(async () => {
      const folder = this.#snapshotFolder(name);
      if (!this.#flowsIn.has(name)) {
        const names = await this.#snapshotNames();
        throw new Failure({ tried: `restore ${name}`, seen: `this lab has no such snapshot; it has ${names.join(", ") || "none"}`, remedy: "fwlab snapshot NAME makes one", exit: exitCode.usage });
      }
      await this.#flows?.[Symbol.asyncDispose]();
      this.#flows = undefined;
      // A port that is shut opens; a machine without power is one of those that are restored.
      for (const broken of this.#broken.values()) if (broken.id === "link-block") await broken.heal();
      this.#broken.clear();
      await this.#lab[Symbol.asyncDispose]();
      this.#lab = await Lab.restore(await labOptions(settingOf(this.#options)), await readSnapshot(folder), "kept");
      await this.#lab.setClocks();
      const record = this.#flowsIn.get(name);
      const { topology } = this.#options;
      if (record !== undefined && isPair(topology)) this.#flows = await takeUpStandingFlows({ ...this.#flowOptions(), topology }, record);
    });
  }

  /** What changes the lab is done one after the other, in the order in which it was asked for. */
  async #alone<T>(act: () => Promise<T>): Promise<T> {
    const before = this.#busy;
    const turn = (async () => {
      await before;
      return act();
    })();
    // The next one waits for this one's end, and not for its success.
    this.#busy = turn.catch(() => undefined);
    return turn;
  }

  #machineCalled(name: string, what: string): ReturnType<Lab["machine"]> {
    const names = this.#lab.names;
    if (names.includes(name)) return this.#lab.machine(name);
    throw new Failure({ tried: `${what} of ${name}`, seen: `the lab has no machine ${name}; it has ${names.join(", ")}`, remedy: `A ${what} is of a machine`, exit: exitCode.usage });
  }

  async #portOf(target: string, id: HandFault): Promise<BridgePort> {
    const [name = "", nic = ""] = target.split(".", 2);
    try {
      const spec = machineSpec(this.topology, name);
      return await holdBridgePort(tapName(spec, nicOf(spec, nic)));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Failure({ tried: `${id} of ${target}`, seen: error.message, remedy: `A ${id} is of ${handFaults[id]}`, exit: exitCode.usage, cause: error });
    }
  }

  #snapshotFolder(name: string): string {
    if (!isName(name)) {
      throw new Failure({ tried: `call a snapshot ${JSON.stringify(name)}`, seen: "that is no name for one", remedy: "Use small letters, digits and hyphens, 30 at most", exit: exitCode.usage });
    }
    return join(this.#options.folder, "snapshots", name);
  }

  async #snapshotNames(): Promise<string[]> {
    const all = (await readdir(join(this.#options.folder, "snapshots")).catch(absent)) ?? [];
    return all.filter((name) => this.#flowsIn.has(name)).toSorted();
  }

  #flowOptions(): StandingFlowsOptions {
    const { topology, flows: counts, prepared, progress, signal } = this.#options;
    return { topology, counts, prepared, progress, signal };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flows?.[Symbol.asyncDispose]();
    for (const broken of this.#broken.values()) if (broken.id === "link-block") await broken.heal();
    await this.#lab[Symbol.asyncDispose]();
  }
}

function settingOf({ topology, trees, prepared, desktops, folder, progress, signal }: StandingLabOptions): LabSetting {
  return { topology, trees, prepared, desktops, keptIn: folder, progress, signal };
}

function asksForFlows({ flows: { tcp, udp, ssh } }: StandingLabOptions): boolean {
  return tcp + udp + ssh > 0;
}
