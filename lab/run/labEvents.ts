import { type LabEvent } from "../evidence/event.ts";
import type { Clock } from "../evidence/ledger.ts";
import { messageOf } from "../failure/failure.ts";
import { monitorForwarding, type ForwardingMonitor } from "../host/forwardingMonitor.ts";
import type { FollowedCommand, FollowingShell, MachineShell } from "../machine/shell.ts";
import { addressWatchCommand, parseAddressChange, type Told } from "../observe/addressWatch.ts";
import { daemonJournalCommand, parseDaemonJournal } from "../observe/daemonJournal.ts";
import { parseForwardingChanges } from "../observe/forwardingChanges.ts";
import { measureRealtime } from "../observe/realtimeClock.ts";
import type { Progress } from "../progress/progress.ts";
import type { Keeper } from "../report/keeper.ts";
import { managementBridge, type Topology } from "../topology/topology.ts";

/** A machine that is on, since it was switched on the `powerOn`th time. */
export interface RunningMachine<S extends MachineShell = FollowingShell> {
  readonly shell: S;
  readonly powerOn: number;
}

export interface LabEventsOptions {
  readonly topology: Topology;
  readonly keeper: Keeper;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What is followed of one machine, from one power-on to the next. */
interface Followed {
  readonly told: Told;
  /** The machine's time of day when it was first asked; what it told before is another run's when it was restored. */
  readonly sinceMs: number | undefined;
  readonly lines: string[];
  readonly command: FollowedCommand;
}

/** The name of a machine's time of day: each time that it is switched on it has another. */
function clockOf({ shell, powerOn }: RunningMachine<MachineShell>): string {
  return `${shell.name}${powerOn === 1 ? "" : `#${powerOn}`}/realtime`;
}

const forwardingFile = "events/forwarding.txt";

/**
 * What machines and bridges of a lab tell of themselves as it happens: addresses that come and go, the daemons' words in the journal, what
 * bridges learn; and the machines' times of day, without which their words could not be laid beside the host's. What cannot be followed is
 * told and kept out: the timeline says what it lacks.
 */
export class LabEvents implements AsyncDisposable {
  readonly clocks: Clock[] = [];
  readonly #options: LabEventsOptions;
  readonly #forwarding: ForwardingMonitor;
  readonly #followed = new Map<string, Followed>();
  readonly #journal = new Map<string, LabEvent>();

  constructor(options: LabEventsOptions) {
    this.#options = options;
    this.#forwarding = monitorForwarding();
  }

  /** Follows machines that are not followed yet, and measures the clocks of all, one after the other. @throws the signal's reason. */
  async follow(machines: readonly RunningMachine[]): Promise<void> {
    for (const { shell, powerOn } of machines) {
      const stem = powerOn === 1 ? shell.name : `${shell.name}-${powerOn}`;
      const clock = clockOf({ shell, powerOn });
      await this.#try(`measure ${clock}`, async () => this.clocks.push(await measureRealtime(shell, clock, this.#options.signal)));
      if (this.#followed.has(clock)) continue;
      const measured = this.clocks.findLast((each) => each.clock === clock);
      await this.#try(`follow the addresses of ${shell.name}`, async () => {
        const lines: string[] = [];
        const command = await shell.follow(addressWatchCommand, { onLine: (line) => lines.push(line), signal: this.#options.signal });
        const sinceMs = powerOn === 1 && measured !== undefined ? measured.measuredAtMs - measured.offsetMs : undefined;
        this.#followed.set(clock, { told: { where: shell.name, clock, source: `events/${stem}.addresses.txt` }, sinceMs, lines, command });
      });
    }
  }

  /** Reads what the daemons of followed machines logged, and keeps it and all else that was told. @throws Failure when it cannot be kept; the signal's reason. */
  async read(moment: string, machines: readonly RunningMachine<MachineShell>[]): Promise<void> {
    await Promise.all(
      machines.map(async ({ shell, powerOn }) => {
        const clock = clockOf({ shell, powerOn });
        const source = `journals/${moment}/${shell.name}.jsonl`;
        await this.#try(`read the daemons' journal of ${shell.name}`, async () => {
          const journal = await shell.must(daemonJournalCommand(this.#followed.get(clock)?.sinceMs), { signal: this.#options.signal });
          await this.#options.keeper.save(source, journal);
          for (const event of parseDaemonJournal(journal, { where: shell.name, clock, source })) {
            const key = `${event.clock} ${event.atMs} ${event.text}`;
            if (!this.#journal.has(key)) this.#journal.set(key, event);
          }
        });
      }),
    );
    await this.keep();
  }

  /** Keeps what was told so far where the events say that it is. @throws Failure as the keeper. */
  async keep(): Promise<void> {
    const { save } = this.#options.keeper;
    await save(forwardingFile, this.#forwarding.text);
    for (const { told, lines } of this.#followed.values()) await save(told.source, lines.map((line) => `${line}\n`).join(""));
  }

  /** All events so far. */
  events(): LabEvent[] {
    const { topology } = this.#options;
    const bridges = topology.bridges.filter((bridge) => bridge !== managementBridge);
    const addresses = [...this.#followed.values()].flatMap(({ told, lines }) => lines.flatMap((line) => parseAddressChange(line, told) ?? []));
    return [...this.#journal.values(), ...addresses, ...parseForwardingChanges(this.#forwarding.text, bridges, forwardingFile).events];
  }

  /** A machine under test may be unable to tell something: that harms what the timeline shows, and not the run. */
  async #try(what: string, attempt: () => Promise<unknown>): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      this.#options.signal.throwIfAborted();
      this.#options.progress.note(`timeline: cannot ${what}: ${messageOf(error)}`);
    }
  }

  /** Ends all that follows. What was told stays; what was not understood of it is said. */
  async [Symbol.asyncDispose](): Promise<void> {
    const unknown = [
      ...parseForwardingChanges(this.#forwarding.text, [], forwardingFile).unknown,
      ...[...this.#followed.values()].flatMap(({ told, lines }) => lines.filter((line) => parseAddressChange(line, told) === undefined)),
    ];
    if (unknown.length > 0) this.#options.progress.note(`timeline: ${unknown.length} lines of ip and bridge are in no form that is known here, the first: ${unknown[0] ?? ""}`);
    for (const { command } of this.#followed.values()) await command[Symbol.asyncDispose]();
    const { problem } = this.#forwarding;
    await this.#forwarding[Symbol.asyncDispose]();
    try {
      // A run that was interrupted has evidence too, and refers to these files.
      if (this.#followed.size > 0) await this.keep();
    } catch (error) {
      this.#options.progress.note(`timeline: what was told could not be kept: ${messageOf(error)}`);
    }
    if (problem !== undefined) this.#options.progress.note(`timeline: the bridges could not be followed to the end: ${problem}`);
  }
}
