import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { TroubledUnit } from "../evidence/comingUp.ts";
import type { Machine } from "../machine/machine.ts";
import { troubledUnits } from "../observe/units.ts";

/** A machine that is on, and does not come to the end of its start: by its config tree then, and by these units where it still answers. */
export class NotStarted extends Failure {
  readonly machine: string;
  readonly units: readonly TroubledUnit[];

  constructor(machine: string, cause: Failure, found: { readonly units: readonly TroubledUnit[] } | { readonly silence: string }) {
    const units = "units" in found ? found.units : [];
    const named = "silence" in found ? `it answers no command (${found.silence})` : units.length === 0 ? "no unit is in trouble" : units.map(({ unit, state }) => `${unit} is ${state}`).join(", ");
    super({
      tried: cause.tried,
      seen: `${cause.seen}; ${named}`,
      remedy: "Look at what the config tree starts on that machine",
      exit: exitCode.invalid,
      details: [...units.flatMap(({ unit, journal }) => journal.map((line) => `${unit}: ${line}`)), ...cause.details],
      cause,
    });
    this.machine = machine;
    this.units = units;
  }
}

/** What kept a machine that is on from starting, with its units in trouble; another error as it was. @throws the signal's reason. */
export async function notStarted(machine: Machine, error: unknown, signal?: AbortSignal): Promise<unknown> {
  if (!(error instanceof Failure) || !machine.isOn) return error;
  try {
    return new NotStarted(machine.name, error, { units: await troubledUnits(machine.shell, () => Promise.resolve(), signal) });
  } catch (silence) {
    signal?.throwIfAborted();
    return new NotStarted(machine.name, error, { silence: messageOf(silence) });
  }
}
