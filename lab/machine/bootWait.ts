import { setTimeout as delay } from "node:timers/promises";
import { exitCode, Failure } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";
import { bootStages, fatalLine, lastLines, stageOf, type BootStage, type ConsoleFollower } from "./console.ts";
import { endInWords, type ProcessEnd } from "./processEnd.ts";
import type { Accelerator } from "./qemuArguments.ts";

/** How long a booting console may be silent before the boot counts as stuck, and how long a boot may take at all, in milliseconds. */
export interface BootPatience {
  readonly silenceMs: number;
  readonly bootMs: number;
}

export const usualPatience: Readonly<Record<Accelerator, BootPatience>> = {
  kvm: { silenceMs: 30_000, bootMs: 120_000 },
  tcg: { silenceMs: 90_000, bootMs: 420_000 },
};

const pollMs = 100;
const quotedConsoleLines = 15;

export interface BootWaitOptions {
  readonly machine: string;
  /** What goes on, in words. */
  readonly activity: string;
  /** The stage that is waited for; `ready` unless another is given. */
  readonly until?: BootStage;
  readonly accelerator: Accelerator;
  readonly console: ConsoleFollower;
  /** How QEMU ended, once it has. */
  readonly end: () => ProcessEnd | undefined;
  /** QEMU's last lines on stderr. */
  readonly stderr: readonly string[];
  readonly patience: BootPatience;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** Waits until a machine's console says that it is ready, or has come to another stage. @throws Failure when the boot is stuck, failed, slow beyond patience, or QEMU ended. */
export async function untilReady(options: BootWaitOptions): Promise<void> {
  const { machine, activity, until = "ready", console, end, patience, progress, signal } = options;
  using step = progress.step(activity, machine);
  const begin = performance.now();
  let lastSound = begin;
  let stage: BootStage = "power on";
  for (;;) {
    signal?.throwIfAborted();
    const grown = await console.poll();
    const now = performance.now();
    if (grown > 0) {
      lastSound = now;
      stage = stageOf(console.text);
      step.update(`${stage} (${bootStages.indexOf(stage) + 1}/${bootStages.length}): ${lastLines(console.text, 1)[0] ?? ""}`.slice(0, 120));
    }
    if (bootStages.indexOf(stage) >= bootStages.indexOf(until)) break;
    const fatal = fatalLine(console.text);
    if (fatal !== undefined) throw bootFailure(options, `the boot failed at stage "${stage}": ${fatal}`);
    const ended = end();
    if (ended !== undefined) throw bootFailure(options, `QEMU ended (${endInWords(ended)}) at stage "${stage}"`);
    if (now - lastSound > patience.silenceMs) {
      throw bootFailure(options, `the boot is stuck: its console has been silent for ${patience.silenceMs / 1000} s at stage "${stage}"`);
    }
    if (now - begin > patience.bootMs) {
      throw bootFailure(options, `the boot is slow, not stuck: after ${patience.bootMs / 1000} s it is at stage "${stage}" and its console still speaks`);
    }
    await delay(pollMs, undefined, signal ? { signal } : {});
  }
  step.done();
}

function bootFailure({ machine, activity, accelerator, console, stderr }: BootWaitOptions, seen: string): Failure {
  return new Failure({
    tried: `${activity}: ${machine} (${accelerator})`,
    seen,
    remedy: "See the console's last lines below; a slow host may need fewer other jobs",
    exit: exitCode.invalid,
    details: [...lastLines(console.text, quotedConsoleLines).map((line) => `console: ${line}`), ...stderr.map((line) => `qemu: ${line}`)],
  });
}
