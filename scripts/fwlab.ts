import { Command, CommanderError } from "commander";
import { exitCode } from "../lab/failure/failure.ts";
import { baselineCommand } from "./baseline.ts";
import { benchCommand } from "./bench.ts";
import { cacheCommand } from "./cache.ts";
import { reportCommand } from "./report.ts";
import { judgeCommand } from "./judge.ts";
import { compareCommand } from "./compare.ts";
import { mutantsCommand } from "./mutants.ts";
import { historyCommand } from "./history.ts";
import { reportFailure } from "./reportFailure.ts";
import { schemaCommand } from "./schema.ts";
import { startCommand } from "./start.ts";
import { testCommand } from "./test.ts";
import { trialsCommand } from "./trials.ts";
import { validateCommand } from "./validate.ts";

/** The command line. A verb's action gives the exit code. */
function commandLine(): Command {
  const program = new Command("fwlab")
    .description("End-to-end failover tests for high-availability Linux firewalls, on real QEMU virtual machines.")
    .addCommand(startCommand())
    .addCommand(trialsCommand())
    .addCommand(validateCommand())
    .addCommand(mutantsCommand())
    .addCommand(judgeCommand())
    .addCommand(testCommand())
    .addCommand(benchCommand())
    .addCommand(reportCommand())
    .addCommand(historyCommand())
    .addCommand(compareCommand())
    .addCommand(baselineCommand())
    .addCommand(cacheCommand())
    .addCommand(schemaCommand());
  for (const command of [program, ...program.commands]) {
    command.exitOverride().showSuggestionAfterError(false).configureOutput({ outputError: (text, write) => write(`fwlab: ${text.replace(/^error: /u, "").trim()} (--help tells more)\n`) });
  }
  return program;
}

// setpriv ends this process with its parent, unless the parent died before setpriv came that far.
const parent = process.env["FWLAB_PARENT"];
delete process.env["FWLAB_PARENT"];
if (parent !== undefined && Number(parent) !== process.ppid) {
  process.exit(exitCode.usage);
}

const program = commandLine();
try {
  if (process.argv.length <= 2) {
    program.error(`a verb is needed: ${program.commands.map((command) => command.name()).join(", ")}`);
  }
  await program.parseAsync();
} catch (thrown) {
  // Commander has printed its line; help and version end well.
  process.exitCode = thrown instanceof CommanderError ? (thrown.exitCode === 0 ? exitCode.pass : exitCode.usage) : reportFailure(thrown);
}
// The verb is over, whatever timer or channel is left; standard output to a pipe or file is written at once on Linux.
process.exit();
