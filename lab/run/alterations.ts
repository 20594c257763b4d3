import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { alterationsSchema, type AlterationResult, type AlterationRuns, type Alterations } from "../evidence/alterations.ts";
import { exitCode, messageOf, type ExitCode } from "../failure/failure.ts";
import type { Alteration } from "../mutants/alteration.ts";
import { applyAlteration } from "../mutants/applied.ts";
import { outcomeOf } from "../mutants/outcome.ts";
import { isRun } from "../mutants/runNeed.ts";
import { writeWhole } from "../report/atomicFile.ts";
import { newRunId } from "../report/bundle.ts";
import { validate, type ValidateOptions } from "./validate.ts";
import { baseFolder, readInput } from "./validationInput.ts";

export interface AlterationsOptions extends Omit<ValidateOptions, "input" | "command" | "staticOnly"> {
  readonly alterations: readonly Alteration[];
  readonly runs: AlterationRuns;
}

/** Altered trees that have all been validated, or as many as could be. */
export interface FinishedAlterations {
  readonly alterations: Alterations;
  readonly folder: string;
  /** What ended them before their time, if something did. */
  readonly interrupted: Error | undefined;
}

/**
 * Validates altered trees one after the other, each in a lab of its own. `runs/<id>/<name>/tree` keeps the tree, beside it is its validation;
 * `mutants.json` sums up, and is whole after each. All patches are applied before the first lab comes up.
 * @throws Failure (usage) when a patch does not apply.
 */
export async function conductAlterations({ alterations, ...options }: AlterationsOptions): Promise<FinishedAlterations> {
  const { runsFolder, progress, signal, runs } = options;
  const id = newRunId();
  const folder = join(runsFolder, id);
  const results: AlterationResult[] = [];
  const told = async (): Promise<Alterations> => {
    const all = alterationsSchema.parse({ schema: 1, id, runs, planned: alterations.length, results });
    await writeWhole(folder, "mutants.json", `${JSON.stringify(all, undefined, 2)}\n`);
    return all;
  };
  for (const alteration of alterations) {
    await mkdir(join(folder, alteration.name), { recursive: true });
    await applyAlteration(alteration, await baseFolder(alteration.base, runsFolder), join(folder, alteration.name, "tree"));
  }
  for (const alteration of alterations) {
    const result = await oneAlteration(alteration, folder, options);
    if (signal.aborted) {
      const ended: unknown = signal.reason;
      return { alterations: await told(), folder, interrupted: ended instanceof Error ? ended : new Error(messageOf(ended), { cause: ended }) };
    }
    results.push(result);
    progress.note(`${results.length} of ${alterations.length}: ${alteration.kind} ${alteration.name}: ${result.outcome}; ${result.told}`);
    await told();
  }
  return { alterations: await told(), folder, interrupted: undefined };
}

/** 1 when a mutant escapes or does harm after all, or a variant alarms; else 3 when something could not be told. */
export function exitCodeOfAlterations({ results }: Alterations, interrupted: Error | undefined): ExitCode {
  if (results.some(({ outcome }) => ["escaped", "harmful", "alarm"].includes(outcome))) return exitCode.fail;
  return interrupted !== undefined || results.some(({ outcome }) => outcome === "invalid") ? exitCode.invalid : exitCode.pass;
}

/** What a lab could not be had for is this alteration's result alone: the next one may have its own. */
async function oneAlteration(alteration: Alteration, folder: string, { runs, ...options }: Omit<AlterationsOptions, "alterations">): Promise<AlterationResult> {
  const { name, kind, base, why, caughtBy: expected } = alteration;
  const own = join(folder, name);
  const about = { name, kind, base, why, expected: [...expected] };
  try {
    const input = await readInput({ tree: join(own, "tree"), from: own });
    const { validation, folder: place } = await validate({ ...options, staticOnly: !isRun(alteration, runs), input, command: undefined, runsFolder: own });
    const { staticMs, dynamicMs } = validation.durations;
    return { ...about, ...outcomeOf(alteration, validation), verdict: validation.verdict, folder: relative(folder, place), findings: validation.findings, durations: { staticMs, dynamicMs } };
  } catch (error) {
    return { ...about, outcome: "invalid", caughtBy: [], found: [], told: messageOf(error), verdict: null, folder: null, findings: [], durations: { staticMs: null, dynamicMs: null } };
  }
}
