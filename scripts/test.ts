import { Command } from "commander";
import { exitCode, Failure, type ExitCode } from "../lab/failure/failure.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { findProgram } from "../lab/host/requirements.ts";
import { missingClients, withoutSpice } from "../lab/host/spice.ts";
import { ensureImage } from "../lab/image/image.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { callersFolder, isInstalled, repositoryFolder } from "../lab/run/portablePath.ts";
import { coldSuites, pauseOnFailure, thoroughSuites } from "../lab/run/startLab.ts";
import { ensureToolboxBase } from "../lab/toolbox/toolboxBase.ts";
import { hostOption } from "./labOptions.ts";
import { enterAgain } from "./enter.ts";
import { interruption, interruptionInside } from "./interruption.ts";
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
    .option("--thorough", "run the suites of every night too: each reference tree's own control, and the systems that differ from another in little", false)
    .option("--cold", "boot all machines, even where saved ones could be restored", false)
    .allowUnknownOption()
    .action(async (vitestArguments: string[], { cold, thorough, pauseOnFailure: pauses }: { cold: boolean; thorough: boolean; pauseOnFailure: boolean }) => {
      if (cold) process.env[coldSuites] = "1";
      if (thorough) process.env[thoroughSuites] = "1";
      if (pauses) process.env[pauseOnFailure] = "1";
      // Loaded here, because no other verb is to wait for vitest's code.
      const { parseVitestArguments, runVitest } = await import("./vitestRun.ts");
      const choice = parseVitestArguments(vitestArguments);
      if (isFirstInside()) process.exitCode = await inside((signal) => runVitest(root, choice, signal), vitestArguments.length > 0);
      else {
        if (!isInstalled && (choice.filter.length === 0 || choice.filter.some((part) => part.includes("toolbox")))) await makeToolboxBase();
        if (!isInstalled && (choice.filter.length === 0 || choice.filter.some((part) => part.includes("spice") || "suites/hand/".includes(part)))) await makeDesktopImage();
        process.exitCode = await enterAgain();
      }
    });
}

/** What only the toolbox's suite needs, and only here, where there is a network: where it cannot be made that suite says so. */
async function makeToolboxBase(): Promise<void> {
  if (process.getuid?.() !== 0 || findProgram("dockerd") === undefined) return;
  using progress = new TerminalProgress(process.stdout);
  try {
    await ensureToolboxBase({ progress, signal: interruption() });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    progress.note(error.message);
  }
}

/** What only the suite of graphical consoles needs: where it cannot be made that suite says so. */
async function makeDesktopImage(): Promise<void> {
  if (missingClients().length > 0 || (await withoutSpice(interruption())) !== undefined) return;
  using progress = new TerminalProgress(process.stdout);
  try {
    await ensureImage({ variant: "desktop", progress, signal: interruption() });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    progress.note(error.message);
  }
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
