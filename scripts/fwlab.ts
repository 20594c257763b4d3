import { Command, CommanderError } from "commander";
import { exitCode } from "../lab/failure/failure.ts";
import { reportFailure } from "./reportFailure.ts";

/** Each verb's command is loaded when it is asked for: none waits for the code of another. */
const verbs: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start.ts")).startCommand(),
  trials: async () => (await import("./trials.ts")).trialsCommand(),
  validate: async () => (await import("./validate.ts")).validateCommand(),
  mutants: async () => (await import("./mutants.ts")).mutantsCommand(),
  judge: async () => (await import("./judge.ts")).judgeCommand(),
  test: async () => (await import("./test.ts")).testCommand(),
  bench: async () => (await import("./bench.ts")).benchCommand(),
  report: async () => (await import("./report.ts")).reportCommand(),
  history: async () => (await import("./history.ts")).historyCommand(),
  compare: async () => (await import("./compare.ts")).compareCommand(),
  baseline: async () => (await import("./baseline.ts")).baselineCommand(),
  cache: async () => (await import("./cache.ts")).cacheCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  schema: async () => (await import("./schema.ts")).schemaCommand(),
};

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
