import { Command, CommanderError } from "commander";
import { exitCode } from "../lab/failure/failure.ts";
import { hostChoice, inContainer } from "./hostChoice.ts";
import { reportFailure } from "./reportFailure.ts";
import { verbs } from "./verbs.ts";

/** The command line, for a verb, or for whoever names none of them. A verb's action gives the exit code. */
async function commandLine(verb: string | undefined): Promise<Command> {
  const known = verb !== undefined && Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  const program = new Command("fwlab").description("End-to-end failover tests for high-availability Linux firewalls, on real QEMU virtual machines.");
  for (const load of known === undefined ? Object.values(verbs) : [known]) program.addCommand(await load());
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

const program = await commandLine(process.argv[2]);
try {
  const { host, rest } = hostChoice(process.argv.slice(2));
  if (host === "container" && !rest.includes("--help")) process.exit(await inContainer(rest));
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
