import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { Run } from "../evidence/run.ts";
import { exitCode, messageOf, type ExitCode } from "../failure/failure.ts";
import { judge } from "../judge/judge.ts";
import type { AcceleratorWish } from "../machine/accelerator.ts";
import { configHash } from "../machine/configTree.ts";
import type { Progress } from "../progress/progress.ts";
import { Bundle, newRunId, type RunStart } from "../report/bundle.ts";
import type { Topology } from "../topology/topology.ts";
import { LabRun } from "./labRun.ts";
import { fixturesFolder, prepare, type Prepared } from "./prepare.ts";

/** Runs that must fail, each a config tree that is laid over the one under test. */
export const controls = ["no-conntrackd"] as const;
export type Control = (typeof controls)[number];

/** What happens in a run: flows are opened, something is broken, and it is waited for what comes of it. */
export type Story = (run: LabRun) => Promise<void>;

export interface ConductOptions {
  readonly topology: Topology;
  /** Folder of the config tree under test. */
  readonly config: string;
  readonly control?: Control;
  /** What is broken on what, for the run's record. */
  readonly fault: { readonly id: string; readonly target: string };
  readonly story: Story;
  readonly accelerator: AcceleratorWish;
  /** Folder in which the run's bundle is made. */
  readonly runsFolder: string;
  readonly progress: Progress;
  /** Aborting ends the run soon, with verdict invalid. */
  readonly signal: AbortSignal;
  /** Called while the lab is still up, when all evidence is in. */
  readonly beforeEnd?: (run: LabRun) => Promise<void>;
}

/** A run that has come to an end, one way or the other. */
export interface FinishedRun {
  readonly run: Run;
  /** Folder of the bundle. */
  readonly bundle: string;
  /** What ended the run before its time, if something did. */
  readonly interrupted: Error | undefined;
}

/** The exit code that a verdict has on the command line. */
export function exitCodeOf(verdict: Run["verdict"]): ExitCode {
  return verdict === "pass" ? exitCode.pass : verdict === "fail" ? exitCode.fail : exitCode.invalid;
}

/**
 * Conducts one run: boots the topology, lets the story happen in it, judges the evidence. Whatever happens once the bundle is there, the bundle
 * says: a run that did not come to its end is invalid, and names what ended it.
 * @throws Failure when host, image, accelerator or config tree do not allow a run at all.
 */
export async function conduct(options: ConductOptions): Promise<FinishedRun> {
  const { topology, config, control, progress, signal, runsFolder } = options;
  // Many things are waited for at once, on each machine and for each flow: Node would take eleven for a leak, and warn.
  setMaxListeners(0, signal);
  const overlays = control === undefined ? [] : [join(fixturesFolder, "controls", control)];
  const trees = [config, ...overlays];
  const sha256 = await configHash(
    trees,
    topology.machines.map(({ name }) => name),
  );
  const prepared = await prepare({ topology, accelerator: options.accelerator, progress, signal });
  const start: RunStart = {
    id: newRunId(),
    topology: topology.name,
    config: { path: config, overlays, sha256 },
    fault: { ...options.fault, atMs: null },
    host: hostOf(prepared),
  };
  const bundle = await Bundle.create(runsFolder, start);
  const begin = performance.now();
  let labRun: LabRun | undefined;
  let interrupted: Error | undefined;
  try {
    labRun = await LabRun.start({ topology, trees, prepared, bundle, progress, signal });
    await options.story(labRun);
    await labRun.collect();
    await options.beforeEnd?.(labRun);
  } catch (error) {
    // What fails after an interruption fails because of it, each in its own words.
    const ended: unknown = signal.aborted ? signal.reason : error;
    interrupted = ended instanceof Error ? ended : new Error(messageOf(ended), { cause: ended });
  }
  try {
    const evidence = labRun?.evidence(interrupted) ?? {
      topology: topology.name,
      flows: [],
      clocks: [],
      transitions: [],
      hostHealth: { worstTimerDelayMs: 0, allowedTimerDelayMs: 1 },
      interrupted: messageOf(interrupted),
    };
    await labRun?.[Symbol.asyncDispose]();
    const judgement = judge(evidence, topology);
    const run: Run = {
      schema: 1,
      ...start,
      ...judgement,
      fault: { ...start.fault, atMs: evidence.transitions[0]?.fault.atMs ?? null },
      durations: { ...labRun?.durations, totalMs: Math.round(performance.now() - begin) },
    };
    await bundle.writeEvidence(evidence);
    await bundle.writeRun(run);
    return { run, bundle: bundle.folder, interrupted };
  } catch (error) {
    // What ended the run is the news; that its evidence could not be written whole comes second.
    throw interrupted === undefined ? error : new AggregateError([interrupted, error], `${messageOf(interrupted)}; then: ${messageOf(error)}`);
  }
}

function hostOf({ choice, cores, qemuVersion, image }: Prepared): RunStart["host"] {
  return { accelerator: choice.accelerator, accelReason: choice.reason, cores, qemu: qemuVersion, guestKernel: image.kernelRelease };
}
