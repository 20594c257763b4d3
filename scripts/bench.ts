import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { max, median, min } from "simple-statistics";
import { exitCode, type ExitCode } from "../lab/failure/failure.ts";
import { labFolder, prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { bootBareKernels } from "../lab/machine/bareKernel.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { Lab } from "../lab/run/lab.ts";
import { fixturesFolder, prepare } from "../lab/run/prepare.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";

/** What the project promises of itself. */
const allowedRatio = 4;
const allowedMemoryBytes = 600e6;
const bareKernelPatienceMs = 120_000;

/** `fwlab bench`: the numbers that a change must not make worse, as ratios within one run. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("measure: four machines cold to ready against four bare kernels side by side, by turns; memory of each machine")
    .option("--rounds <n>", "how often", parseRounds, 3)
    .allowExcessArguments(false)
    .action(async ({ rounds }: { rounds: number }) => {
      process.exitCode = isFirstInside() ? await inside(rounds) : await enterAgain();
    });
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isSafeInteger(rounds) || rounds < 1 || rounds > 100) throw new InvalidArgumentError("A whole number from 1 to 100.");
  return rounds;
}

/** By turns, so that what else the host does meets both alike. */
async function inside(rounds: number): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress();
  await prepareNamespaces(signal);
  const prepared = await prepare({ topology: primaryBackup, accelerator: "auto", progress, signal });
  const { image, keys, choice } = prepared;
  const bare: number[] = [];
  const cold: number[] = [];
  const memory: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    bare.push(await bootBareKernels(primaryBackup.machines.length, { accelerator: choice.accelerator, boot: image, within: bareKernelPatienceMs, signal }));
    const begin = performance.now();
    await using lab = await Lab.start({
      topology: primaryBackup,
      trees: [join(fixturesFolder, "primary-backup")],
      boot: image,
      keys,
      accelerator: choice.accelerator,
      folder: labFolder(),
      consoles: await mkdtemp(join(labFolder(), "consoles-")),
      extraFiles: () => [],
      progress,
      signal,
    });
    cold.push(performance.now() - begin);
    memory.push(...(await Promise.all(primaryBackup.machines.map(({ name }) => lab.machine(name).peakMemoryBytes()))));
    progress.note(`round ${round}: bare ${seconds(bare.at(-1))}, ready ${seconds(cold.at(-1))}`);
  }
  const ratios = cold.map((coldMs, round) => coldMs / (bare[round] ?? Number.NaN));
  const ratio = median(ratios);
  const peak = max(memory);
  console.log(`four bare kernels to their first process: median ${seconds(median(bare))} (${seconds(min(bare))} – ${seconds(max(bare))})`);
  console.log(`four machines cold to ready:              median ${seconds(median(cold))} (${seconds(min(cold))} – ${seconds(max(cold))})`);
  console.log(`ratio: median ${ratio.toFixed(2)} (${min(ratios).toFixed(2)} – ${max(ratios).toFixed(2)}), allowed ${allowedRatio}`);
  console.log(`memory of the largest machine: ${(peak / 1e6).toFixed(0)} MB, allowed ${allowedMemoryBytes / 1e6} MB`);
  console.log(`accelerator: ${choice.accelerator} (${choice.reason}); image ${(image.sizeBytes / 1e6).toFixed(0)} MB`);
  return ratio <= allowedRatio && peak <= allowedMemoryBytes ? exitCode.pass : exitCode.fail;
}

function seconds(milliseconds: number | undefined): string {
  return `${((milliseconds ?? Number.NaN) / 1000).toFixed(1)} s`;
}
