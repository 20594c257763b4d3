import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { alterationKinds, type AlterationKind } from "../lab/evidence/alterations.ts";
import type { ExitCode } from "../lab/failure/failure.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { alterationFolders, readAlterations, type Alteration } from "../lab/mutants/alteration.ts";
import { shardOf, type Shard } from "../lab/mutants/shard.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { renderAlterations } from "../lab/report/alterationsTerminal.ts";
import { lookOf } from "../lab/report/terminal.ts";
import { conductAlterations, exitCodeOfAlterations } from "../lab/run/alterations.ts";
import { portablePath } from "../lab/run/portablePath.ts";
import { fixturesFolder, runsFolder } from "../lab/run/prepare.ts";
import { validationParts } from "../lab/run/validationParts.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";
import { reportFailure } from "./reportFailure.ts";
import { parseJsonFile } from "./startOptions.ts";
import { validatingOptions, type ValidatingOptions } from "./validateOptions.ts";

interface MutantsOptions extends ValidatingOptions {
  readonly only?: string;
  readonly json?: string;
  readonly runAll?: boolean;
  readonly shard?: Shard;
}

/** `fwlab mutants`: whether validate catches what is broken, and leaves what is only unusual alone. */
export function mutantsCommand(): Command {
  const command = new Command("mutants")
    .description("validate the broken and the unusual trees of fixtures/mutants and fixtures/variants, and say which broken ones escape and which unusual ones alarm")
    .argument("[names...]", "only these")
    .addOption(new Option("--only <kind>", "mutants or variants alone").choices(Object.values(alterationFolders)))
    .addOption(new Option("--run-all", "a failover with every tree, those that their findings tell enough of among them").conflicts("static"))
    .addOption(new Option("--shard <part/of>", "every so manieth of them, as 2/3, for hosts that share them out").argParser(parseShard))
    .addOption(new Option("--json <file>", "also write mutants.json to this file").argParser(parseJsonFile));
  for (const option of validatingOptions()) command.addOption(option);
  return command.addHelpText("after", "\nExample: npx fwlab mutants --only variants --shard 1/3").action(async (names: string[], options: MutantsOptions) => {
    const chosen = await readAlterations(fixturesFolder, kindsOf(options.only), names);
    const alterations = options.shard === undefined ? chosen : shardOf(chosen, options.shard);
    process.exitCode = isFirstInside() ? await inside(alterations, options) : await enterAgain();
  });
}

async function inside(chosen: readonly Alteration[], { static: staticOnly, runAll = false, flows, accel, cold, verbose, json }: MutantsOptions): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress(process.stdout, { verbose });
  await prepareNamespaces(signal);
  const { alterations, folder, interrupted } = await conductAlterations({ alterations: chosen, runs: staticOnly ? "none" : runAll ? "all" : "needed", flows, accelerator: accel, cold, runsFolder, parts: validationParts, progress, signal });
  progress[Symbol.dispose]();
  if (interrupted !== undefined) reportFailure(interrupted);
  console.log(renderAlterations(alterations, portablePath(folder), lookOf(process.stdout, process.env)));
  if (json !== undefined) await copyFile(join(folder, "mutants.json"), json);
  return exitCodeOfAlterations(alterations, interrupted);
}

function kindsOf(only: string | undefined): readonly AlterationKind[] {
  return only === undefined ? alterationKinds : alterationKinds.filter((kind) => alterationFolders[kind] === only);
}

/** Reads `--shard`. @throws InvalidArgumentError for what is no part of so many. */
export function parseShard(text: string): Shard {
  const [, part, of] = (/^([1-9]\d?)\/([1-9]\d?)$/u.exec(text) ?? []).map(Number);
  if (part === undefined || of === undefined || part > of) throw new InvalidArgumentError(`"${text}" is not part 1/3, 2/3 or 3/3 of three, or the like.`);
  return { part, of };
}
