import { Command } from "commander";
import { exitCode, type ExitCode } from "../lab/failure/failure.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { callersFolder, isInstalled, repositoryFolder } from "../lab/run/portablePath.ts";
import { coldSuites, pauseOnFailure, thoroughSuites } from "../lab/run/startLab.ts";
import { hostOption } from "./labOptions.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";
import { addUp, countLine, type TestCount } from "./testCount.ts";

/** Whose tests are run: fwlab's own, or those of the repository that installed it. */
const root = isInstalled ? callersFolder() : repositoryFolder;

/** `fwlab test`: types, lint, unit tests and VM suites. Its last line says how many passed and failed. */
export function testCommand(): Command {
  return new Command("test")
    .description("check types and lint, run the unit tests and the VM suites")
    .argument("[vitest-arguments...]", "handed to vitest; with any, types and lint are not checked. Of a repository that installed fwlab, its own tests run, by its own vitest")
    .option("--pause-on-failure", "leave the lab of a run up when a test over it fails, until Ctrl-C, and say how to get in", false)
    .addOption(hostOption())
    .option("--thorough", "run the suites of every night too: controls that repeat another tree's, systems that differ from another in little, graphical consoles. Suites that are named run whole", false)
    .option("--cold", "boot all machines, even where saved ones could be restored", false)
    .allowUnknownOption()
    .addHelpText("after", "\nExample: npx fwlab test --pause-on-failure suites/primary-backup")
    .action(async (vitestArguments: string[], { cold, thorough, pauseOnFailure: pauses }: { cold: boolean; thorough: boolean; pauseOnFailure: boolean }) => {
      if (cold) process.env[coldSuites] = "1";
      if (pauses) process.env[pauseOnFailure] = "1";
      // Loaded here, because no other verb is to wait for vitest's code.
      const { parseVitestArguments, runVitest } = await import("./vitestRun.ts");
      const choice = parseVitestArguments(vitestArguments);
      // Who names suites wants them whole.
      const whole = thorough || choice.filter.length > 0;
      if (whole) process.env[thoroughSuites] = "1";
      if (isFirstInside()) process.exitCode = await inside((signal) => runVitest(root, choice, signal), vitestArguments.length > 0);
      else {
        const { makeSuiteNeeds } = await import("./suiteNeeds.ts");
        process.exitCode = await enterAgain(process.stdout, isInstalled ? undefined : (making) => makeSuiteNeeds({ filter: choice.filter, whole }, making));
      }
    });
}

/**
 * The inner half. Vitest runs in this process, the first of the namespaces: no test and no VM of it outlives it, also when vitest is
 * interrupted and runs no clean-up.
 */
async function inside(runTests: (signal: AbortSignal) => Promise<TestCount>, onlySome: boolean): Promise<ExitCode> {
  const signal = interruptionInside();
  await prepareNamespaces(signal);
  const counts: TestCount[] = [];
  if (!onlySome && !isInstalled) {
    const { checkStatically } = await import("./staticChecks.ts");
    counts.push(await checkStatically(root, signal));
  }
  counts.push(await runTests(signal));
  const count = addUp(counts);
  if (signal.aborted) {
    console.log("interrupted: what was not run counts as failed");
    count.failed = Math.max(1, count.failed);
  }
  if (!onlySome && !isInstalled && process.env[thoroughSuites] === undefined) console.log("not run: the suites of every night (npm test -- --thorough)");
  console.log(countLine(count));
  return count.failed === 0 && count.passed > 0 ? exitCode.pass : exitCode.fail;
}
