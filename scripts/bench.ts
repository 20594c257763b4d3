import { randomInt } from "node:crypto";
import { join } from "node:path";
import { Command, Option } from "commander";
import { exitCode, type ExitCode } from "../lab/failure/failure.ts";
import { powerCut } from "../lab/faults/powerCut.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { isFirstInside } from "../lab/host/namespaces.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { fixturesFolder, prepare, runsFolder } from "../lab/run/prepare.ts";
import { conductTrials } from "../lab/run/trials.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";
import { mixture } from "../lab/traffic/flowSpec.ts";
import { measureCapture } from "./benchCapture.ts";
import { judgeCapture, judgeRounds, judgeTrials, type Figure } from "./benchFigures.ts";
import { judgeJudging, measureJudging } from "./benchJudge.ts";
import { measureRound, type Round } from "./benchRound.ts";
import { enterAgain } from "./enter.ts";
import { interruptionInside } from "./interruption.ts";
import { parseWhole } from "./trialsOptions.ts";
import { hostOption } from "./labOptions.ts";

/** What is measured: boots and restores, a capture's cost, judging, trials. */
const parts = ["rounds", "capture", "judge", "trials"] as const;

interface BenchOptions {
  readonly only?: (typeof parts)[number];
  readonly rounds: number;
  readonly trials: number;
}

/** The trials that are measured: as many flows as a run has by default, strikes spread over an advert's interval. */
const trialFlows = 50;
const trialSpreadMs = 1_000;
/** Pairs of transfers, without and with a capture. */
const captureRounds = 9;

/** `fwlab bench`: the numbers that a change must not make worse, as ratios within one run. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("measure by turns: bare kernels, a cold boot, a restore; memory and disk; what a capture costs of forwarding, and judging; then what a trial costs")
    .addOption(hostOption())
    .addOption(new Option("--only <part>", "measure one part alone").choices(parts))
    .option("--rounds <n>", "how often", (text: string) => parseWhole(text, "rounds", 1, 100), 3)
    .option("--trials <n>", "how many trials; 0 for none", (text: string) => parseWhole(text, "trials", 0, 1000), 20)
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab bench --only capture")
    .action(async (options: BenchOptions) => {
      if (options.only === "judge") {
        process.exitCode = tell(judgeJudging(await measureJudging()));
        return;
      }
      process.exitCode = isFirstInside() ? await inside(options) : await enterAgain();
    });
}

async function inside({ only, rounds: count, trials: trialCount }: BenchOptions): Promise<ExitCode> {
  const signal = interruptionInside();
  using progress = new TerminalProgress();
  await prepareNamespaces(signal);
  const config = join(fixturesFolder, "omarine-snat");
  const prepared = await prepare({ topology: primaryBackup, accelerator: "auto", progress, signal });
  const measured = (part: (typeof parts)[number]): boolean => only === undefined || only === part;
  const place = { topology: primaryBackup, trees: [config], prepared, progress, signal };
  const rounds: Round[] = [];
  for (let number = 1; measured("rounds") && number <= count; number += 1) {
    const round = await measureRound(place);
    rounds.push(round);
    const { bareMs, coldReadyMs, coldAnswerMs, runningMs, warmAnswerMs } = round;
    const whole = [bareMs, coldReadyMs, coldAnswerMs, runningMs, warmAnswerMs].map((value) => `${Math.round(value)} ms`);
    progress.note(`round ${number}: bare, cold to ready, to answers, restored to running, to answers: ${whole.join(", ")}`);
  }
  const figures: Figure[] = measured("rounds") ? judgeRounds(rounds) : [];
  if (measured("capture")) figures.push(...judgeCapture(await measureCapture(place, captureRounds)));
  if (measured("judge")) figures.push(...judgeJudging(await measureJudging()));
  if (measured("trials") && trialCount > 0) {
    const { trials, interrupted } = await conductTrials({
      ...{ topology: primaryBackup, config, fault: { id: "power-cut", target: primaryBackup.active }, strike: powerCut, accelerator: "auto" },
      ...{ flows: mixture(trialFlows), count: trialCount, spreadMs: trialSpreadMs, seed: randomInt(2 ** 32), cold: false, runsFolder, progress, signal },
    });
    if (interrupted !== undefined) throw interrupted;
    figures.push(...judgeTrials(trials));
  }
  progress[Symbol.dispose]();
  const code = tell(figures);
  console.log(`accelerator: ${prepared.choice.accelerator} (${prepared.choice.reason}); image ${(prepared.image.sizeBytes / 1e6).toFixed(0)} MB`);
  return code;
}

/** Prints the figures, and says whether all hold. */
function tell(figures: readonly Figure[]): ExitCode {
  for (const { what, measured, allowed, holds } of figures) console.log(`${holds ? "ok  " : "MISS"} ${what}: ${measured}${allowed === undefined ? "" : `, allowed ${allowed}`}`);
  return figures.every(({ holds }) => holds) ? exitCode.pass : exitCode.fail;
}
