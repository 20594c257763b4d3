import { Failure } from "../lab/failure/failure.ts";
import { findProgram } from "../lab/host/requirements.ts";
import { missingClients, withoutSpice } from "../lab/host/spice.ts";
import { ensureImage } from "../lab/image/image.ts";
import { ensureToolboxBase } from "../lab/toolbox/toolboxBase.ts";
import type { Making } from "./prepareHost.ts";

/** What one suite alone needs, and what makes it where there is a network: not where the suites run. */
interface SuiteNeed {
  readonly suite: string;
  /** Whether only a night runs it, or who names it. */
  readonly everyNight: boolean;
  /** Whether the suite can run here at all. */
  readonly possible: (signal: AbortSignal) => Promise<boolean> | boolean;
  readonly make: (making: Making) => Promise<unknown>;
}

async function makeDesktop({ progress, signal, image }: Making): Promise<void> {
  await image;
  await ensureImage({ variant: "desktop", progress, signal });
}

const needs: readonly SuiteNeed[] = [
  { suite: "suites/toolbox/toolbox.test.ts", everyNight: false, possible: () => process.getuid?.() === 0 && findProgram("dockerd") !== undefined, make: ensureToolboxBase },
  { suite: "suites/hand/spice.test.ts", everyNight: true, possible: async (signal) => missingClients().length === 0 && (await withoutSpice(signal)) === undefined, make: makeDesktop },
];

export interface SuiteChoice {
  /** Vitest's: parts of files' names; empty for all. */
  readonly filter: readonly string[];
  /** Whether the suites of every night run, too. */
  readonly whole: boolean;
}

/** Makes what the chosen suites need; where it cannot be made, that is said, and so does the suite. @throws the signal's reason. */
export async function makeSuiteNeeds({ filter, whole }: SuiteChoice, making: Making): Promise<void> {
  const chosen = needs.filter(({ suite, everyNight }) => (filter.length === 0 || filter.some((part) => suite.includes(part))) && (whole || !everyNight));
  await Promise.all(
    chosen.map(async ({ possible, make }) => {
      try {
        if (await possible(making.signal)) await make(making);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        making.progress.note(error.message);
      }
    }),
  );
}
