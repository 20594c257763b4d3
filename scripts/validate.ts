import { Command } from "commander";
import type { ExitCode } from "../lab/failure/failure.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { callersFolder, portablePath, repositoryFolder } from "../lab/run/portablePath.ts";
import { readInput, type ValidationInput } from "../lab/run/validationInput.ts";
import { promisedFlows } from "../lab/traffic/flowSpec.ts";
import { enterAgain } from "./enter.ts";
import { repeatCommand } from "./repeatCommand.ts";
import { resultOptions, validatingOptions, type ValidateVerbOptions } from "./validateOptions.ts";

/** `fwlab validate`: what is wrong with somebody's own configuration. */
export function validateCommand(): Command {
  const command = new Command("validate")
    .description("look at the files of a config tree with the guests' own checkers, then try a failover and a failback with it; say what is wrong, where, and what it causes")
    .argument("<folder>", "a config tree, or only the files that differ from --base; a Firewall Builder file (*.fwb) may lie beside the machines' folders");
  for (const option of [...resultOptions(), ...validatingOptions()]) command.addOption(option);
  return command.allowExcessArguments(false).addHelpText("after", "\nExample: npx fwlab validate fixtures/omarine-snat --static").action(async (folder: string, options: ValidateVerbOptions) => {
    // Before anything is set up for it, and again inside: nothing of it may change what a lab gets.
    const input = await readInput({ tree: folder, base: options.base, from: callersFolder() });
    if (options.flows !== undefined) promisedFlows(options.flows, input.promises.flows);
    process.exitCode = isFirstInside() ? await inside(input, options, command) : await enterAgain(options.json === true ? process.stderr : process.stdout);
  });
}

async function inside(input: ValidationInput, options: ValidateVerbOptions, command: Command): Promise<ExitCode> {
  // What it needs is not waited for outside.
  const { validateInside } = await import("./validateInside.ts");
  return validateInside(input, options, repeatCommand(["run", "validate"], command, input.base === undefined ? {} : { base: portablePath(input.base, [repositoryFolder]) }, input.tree));
}
