import { InvalidArgumentError } from "commander";
import type { LabVerbOptions } from "./labOptions.ts";

/** Faults that trials can strike with. */
export const trialFaults = ["power-cut"] as const;
export type TrialFault = (typeof trialFaults)[number];

/** The options of `fwlab trials`, checked; `spread` is in milliseconds. */
export interface TrialsOptions extends LabVerbOptions {
  /** How many trials. */
  readonly n: number;
  readonly fault: TrialFault;
  readonly spread: number;
  /** Chosen by chance when it was not given. */
  readonly seed?: number;
}

/** Reads `--n`: how many trials, from 1 to 1000. @throws InvalidArgumentError otherwise. */
export function parseTrialCount(text: string): number {
  return parseWhole(text, "trials", 1, 1000);
}

/** Reads `--spread`: the window in whole milliseconds that the strikes are spread over, from 0 to a minute. @throws InvalidArgumentError otherwise. */
export function parseSpread(text: string): number {
  return parseWhole(text, "milliseconds", 0, 60_000);
}

/** Reads `--seed`: any whole number of 32 bits. @throws InvalidArgumentError otherwise. */
export function parseSeed(text: string): number {
  return parseWhole(text, undefined, 0, 4_294_967_295);
}

/** Reads a whole number. @throws InvalidArgumentError for anything but digits within the bounds. */
export function parseWhole(text: string, unit: string | undefined, least: number, most: number): number {
  // Digits alone: Number() would take "", " 5", "1e3" and "0x10" too.
  const number = /^\d{1,10}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new InvalidArgumentError(`"${text}" is not a whole number${unit === undefined ? "" : ` of ${unit}`} from ${least} to ${most}.`);
  }
  return number;
}
