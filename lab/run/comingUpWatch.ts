import type { Arrival, ComingUp, TroubledUnit } from "../evidence/comingUp.ts";
import { messageOf } from "../failure/failure.ts";
import { FlowsNotOpen } from "../traffic/flowsNotOpen.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import type { LabRun } from "./labRun.ts";
import { NotStarted } from "./notStarted.ts";
import { waitUntil } from "./waitUntil.ts";
import { holdingsText, ownerOf } from "./watchStates.ts";

/** A pair whose nodes start at different times may have two owners for a moment: one counts when it was seen for so many looks on end. */
const looksOfOwner = 2;

/**
 * What a pair has to come to before it can be judged by a fault, as evidence: what it does not come to in its time is told there, and never thrown.
 * Only what the lab itself owes is thrown.
 */
export class ComingUpWatch {
  readonly #run: LabRun;
  readonly #arrivals: Arrival[] = [];
  #units: readonly TroubledUnit[] = [];
  readonly #evidence: string[] = ["evidence.json"];

  constructor(run: LabRun) {
    this.#run = run;
    this.#tell();
  }

  /** Something that was waited for before. */
  came(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#tell();
  }

  /** The one firewall that holds all virtual addresses; undefined when there is none within so many milliseconds. */
  async owner(withinMs: number, preferred: string | undefined): Promise<string | undefined> {
    const { topology, progress, signal } = this.#run;
    const what = `one owner of ${topology.virtualAddresses.length === 2 ? "both" : "all"} virtual addresses`;
    let last: string | undefined;
    let looks = 0;
    const { reached, seen, value, tookMs } = await waitUntil({
      what: `the pair to come to ${what}`,
      look: async () => {
        const holdings = await this.#run.holders();
        const owner = ownerOf(holdings, topology);
        looks = owner === last ? looks + 1 : 1;
        last = owner;
        return { reached: owner !== undefined && looks >= looksOfOwner && (preferred === undefined || owner === preferred), seen: holdingsText(holdings), value: owner };
      },
      within: withinMs,
      progress,
      signal,
    });
    // Not the preferred one, but one: who it is was found out, and the fault strikes that one.
    const owner = reached || looks >= looksOfOwner ? value : undefined;
    this.came({ what, reached: owner !== undefined, seen, tookMs, withinMs });
    return owner;
  }

  /** Opens flows; false when they do not open, or do not move, within so many milliseconds. @throws Failure when an agent does not answer. */
  async opens(specs: readonly FlowSpec[], withinMs: number): Promise<boolean> {
    const begin = performance.now();
    const arrival = (reached: boolean, seen: string) => this.came({ what: `${specs.length} flows open`, reached, seen, tookMs: performance.now() - begin, withinMs });
    try {
      await this.#run.open(specs, withinMs);
      arrival(true, "all moving");
      return true;
    } catch (error) {
      if (!(error instanceof FlowsNotOpen)) throw error;
      arrival(false, [error.seen, ...error.details.slice(0, 3)].join("; "));
      return false;
    }
  }

  /**
   * Does something for which a machine boots again; false when that does not come to the end of its start.
   * @throws what else was thrown.
   */
  async startsAgain(machine: string, withinMs: number, act: () => Promise<unknown>): Promise<boolean> {
    const what = `${machine} starts again`;
    const begin = performance.now();
    try {
      await act();
      this.came({ what, reached: true, seen: "it did", tookMs: this.#run.durations["rebootMs"] ?? 0, withinMs });
      return true;
    } catch (error) {
      if (!(error instanceof NotStarted)) throw error;
      this.#units = [...this.#units, ...error.units];
      this.came({ what, reached: false, seen: error.seen, tookMs: performance.now() - begin, withinMs });
      return false;
    }
  }

  /** Which units of the firewalls are in trouble, now and when they are looked at again: one that is started a second time and lives is in none. */
  async units(between: Promise<unknown>): Promise<void> {
    const first = await this.#run.troubledUnits();
    await between;
    if (first.units.length === 0) return;
    const again = await this.#run.troubledUnits();
    const before = new Set(first.units.map(({ machine, unit }) => `${machine} ${unit}`));
    this.#units = again.units.filter(({ machine, unit }) => before.has(`${machine} ${unit}`));
    this.#evidence.push(...again.files);
    this.#tell();
  }

  /** Looks at everything of a pair that did not come up, for whoever wants to know why. */
  async lookAround(): Promise<void> {
    try {
      await this.#run.observe("coming-up");
      this.#evidence.push("observations/coming-up", "journals/coming-up");
      this.#tell();
    } catch (error) {
      this.#run.signal.throwIfAborted();
      this.#run.progress.note(`the pair that did not come up cannot be looked at: ${messageOf(error)}`);
    }
  }

  #tell(): void {
    const told: ComingUp = { arrivals: this.#arrivals, units: [...this.#units], evidence: this.#evidence };
    this.#run.comingUp = told;
  }
}
