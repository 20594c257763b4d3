import type { Evidence } from "../evidence/evidence.ts";
import type { Run } from "../evidence/run.ts";
import { exitCode, messageOf, type ExitCode } from "../failure/failure.ts";
import { judge } from "../judge/judge.ts";
import type { MachineTrees } from "../machine/configTree.ts";
import { keepConfig } from "../machine/keptConfig.ts";
import { Bundle, type RunStart } from "../report/bundle.ts";
import { isPair, type Topology } from "../topology/topology.ts";
import type { LabRun } from "./labRun.ts";
import { NeverCameUp } from "./neverCameUp.ts";
import { packetsOf } from "./packetsOf.ts";

/** A lab in which a run takes place, whatever its topology: what comes of the run is its evidence. */
export interface ConductedRun extends AsyncDisposable, Pick<LabRun, "begun" | "durations" | "versions" | "progress" | "collect" | "keepCapture" | "evidence"> {}

/** What happens in a run: flows are opened, something is broken, and it is waited for what comes of it. */
export type Story<R extends ConductedRun = LabRun> = (run: R) => Promise<void>;

export interface JudgedRunOptions<R extends ConductedRun = LabRun> {
  readonly topology: Topology;
  /** What the machines get from the config trees: kept in the bundle. */
  readonly machines: MachineTrees;
  readonly start: RunStart;
  /** Folder in which the run's bundle is made. */
  readonly runsFolder: string;
  /** Brings the lab up. */
  readonly open: (bundle: Bundle) => Promise<R>;
  readonly story: Story<R>;
  /** Called while the lab is still up, when all evidence is in. */
  readonly beforeEnd?: (run: R) => Promise<void>;
  /** Called when the run is judged and its bundle is written, with the lab still up; it goes when this settles. Without it the lab goes first, and the judge has the processors for itself. */
  readonly whileUp?: (finished: FinishedRun) => Promise<void>;
  readonly signal: AbortSignal;
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
 * One run: brings a lab up, lets the story happen in it, judges the evidence. Whatever happens once the bundle is there, the bundle says: a run
 * that did not come to its end is invalid, and names what ended it. @throws Failure when the bundle cannot be made or written.
 */
export async function judgedRun<R extends ConductedRun = LabRun>({ topology, machines, start, runsFolder, open, story, beforeEnd, whileUp, signal }: JudgedRunOptions<R>): Promise<FinishedRun> {
  const bundle = await Bundle.create(runsFolder, start);
  const begin = performance.now();
  let labRun: R | undefined;
  let interrupted: Error | undefined;
  let neverUp: NeverCameUp | undefined;
  try {
    await keepConfig(bundle.folder, machines);
    labRun = await open(bundle);
    await story(labRun);
    await labRun.collect();
    await beforeEnd?.(labRun);
  } catch (error) {
    // What fails after an interruption fails because of it, each in its own words.
    const ended: unknown = signal.aborted ? signal.reason : error;
    if (ended instanceof NeverCameUp) neverUp = ended;
    else interrupted = ended instanceof Error ? ended : new Error(messageOf(ended), { cause: ended });
    await labRun?.keepCapture().catch((lost: unknown) => labRun?.progress.note(`the capture is lost: ${messageOf(lost)}`));
  }
  try {
    const evidence = labRun?.evidence(interrupted) ?? noLab(topology, neverUp ?? { interrupted });
    const gone = Promise.resolve(whileUp === undefined ? labRun?.[Symbol.asyncDispose]() : undefined);
    // Its error, if it has one, is thrown below.
    gone.catch(() => undefined);
    const packets = await packetsOf(bundle.folder, evidence, signal).catch((error: unknown) => {
      // Its own capture cannot be read: nothing can be said then.
      interrupted ??= error instanceof Error ? error : new Error(messageOf(error), { cause: error });
      evidence.interrupted ??= messageOf(error);
      return undefined;
    });
    await gone;
    const run: Run = {
      schema: 1,
      ...start,
      ...judge(evidence, { topology: isPair(topology) ? topology : undefined, packets }),
      ...(labRun && { begun: labRun.begun, hostDelayMs: evidence.hostHealth.worstTimerDelayMs }),
      ...(evidence.capture !== undefined && { capture: evidence.capture }),
      versions: { ...start.versions, ...labRun?.versions },
      fault: faultOf(start.fault, evidence),
      durations: { ...labRun?.durations, totalMs: Math.round(performance.now() - begin) },
    };
    await bundle.writeEvidence(evidence);
    await bundle.writeRun(run);
    const finished = { run, bundle: bundle.folder, interrupted };
    if (labRun !== undefined) await whileUp?.(finished);
    return finished;
  } catch (error) {
    // What ended the run is the news; that its evidence could not be written whole comes second.
    throw interrupted === undefined ? error : new AggregateError([interrupted, error], `${messageOf(interrupted)}; then: ${messageOf(error)}`);
  } finally {
    if (whileUp !== undefined) await labRun?.[Symbol.asyncDispose]();
  }
}

/** The run's fault, as it happened: who had the duty, and lost its power, may have been found out first. */
export function faultOf({ id, target }: Run["fault"], { transitions: [first] }: Pick<Evidence, "transitions">): Run["fault"] {
  return { id, target: first?.fault.target ?? target, atMs: first?.fault.atMs ?? null };
}

/** Of a run whose lab never came up: by the config tree's doing, or by another. */
function noLab(topology: Topology, ended: NeverCameUp | { readonly interrupted: unknown }): Evidence {
  return {
    topology: topology.name,
    flows: [],
    clocks: [],
    transitions: [],
    events: [],
    ...(ended instanceof NeverCameUp ? { comingUp: ended.comingUp, hostHealth: ended.hostHealth } : { interrupted: messageOf(ended.interrupted), hostHealth: { worstTimerDelayMs: 0, allowedTimerDelayMs: 1 } }),
  };
}
