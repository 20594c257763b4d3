import { join } from "node:path";
import { trialsSchema, type Trial, type Trials } from "../evidence/trials.ts";
import { messageOf } from "../failure/failure.ts";
import { trialOf } from "../judge/trialOf.ts";
import { summarizeTrials } from "../judge/trialsSummary.ts";
import type { Progress } from "../progress/progress.ts";
import { writeWhole } from "../report/atomicFile.ts";
import { newRunId } from "../report/bundle.ts";
import type { FlowCounts } from "../traffic/flowSpec.ts";
import type { FinishedRun } from "./judgedRun.ts";
import type { RunSetting } from "./runSetting.ts";
import { strikeOffsets } from "./strikeOffsets.ts";

export interface SeriesOptions {
  readonly flows: FlowCounts;
  readonly count: number;
  /** The strikes are spread over this many milliseconds: usually the interval between two adverts, whose phase decides an outage. */
  readonly spreadMs: number;
  readonly seed: number;
  readonly runsFolder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Trials that have come to an end, one way or the other. */
export interface FinishedTrials {
  readonly trials: Trials;
  readonly folder: string;
  /** What ended them before their time, if something did. */
  readonly interrupted: Error | undefined;
}

/** Which trial it is, and where its bundle goes: `bundle`, a folder in `folder`. */
export interface TrialPlace {
  readonly folder: string;
  readonly bundle: string;
  readonly offsetMs: number;
}

/** What came of one trial. */
export interface Attempt {
  readonly finished: FinishedRun;
  /** When it struck, on the scale of its offset; null when it never did. */
  readonly struckMs: number | null;
}

export interface Series {
  /** From when offsets count, in words. */
  readonly since: string;
  /** Makes what all trials begin with, once; its own files go into the folder. Gives what makes one trial. */
  readonly ready: (folder: string) => Promise<(place: TrialPlace) => Promise<Attempt>>;
}

/**
 * Makes trials one after the other, each a run with a bundle of its own; `trials.json` beside them sums up, and is whole after each trial.
 * @throws Failure when what they begin with cannot be made; what is wrong in a trial is that trial's verdict.
 */
export async function trialSeries(record: RunSetting["record"], { count, spreadMs, seed, flows, runsFolder, progress, signal }: SeriesOptions, { since, ready }: Series): Promise<FinishedTrials> {
  const offsets = strikeOffsets({ count, spreadMs, seed });
  const id = newRunId();
  const folder = join(runsFolder, id);
  const made: Trial[] = [];
  const told = async (): Promise<Trials> => {
    const { topology, config, fault, host, command, versions } = record;
    const trials = trialsSchema.parse({
      ...{ schema: 1, id, topology, config, fault: { id: fault.id, target: fault.target }, host, versions, ...(command !== undefined && { command }) },
      ...{ flows: flows.tcp + flows.udp + flows.ssh, flowKinds: { tcp: flows.tcp, udp: flows.udp, ssh: flows.ssh }, seed, spreadMs, planned: count, trials: made },
      ...summarizeTrials(made, count),
    });
    await writeWhole(folder, "trials.json", `${JSON.stringify(trials, undefined, 2)}\n`);
    return trials;
  };
  await told();
  progress.note(`seed ${seed}: ${count} trials, struck ${since} and up to ${spreadMs} ms later`);
  try {
    const attempt = await ready(folder);
    for (const [index, offsetMs] of offsets.entries()) {
      const number = index + 1;
      const bundle = `trial-${number.toString().padStart(String(count).length, "0")}`;
      const { finished, struckMs } = await attempt({ folder, bundle, offsetMs });
      const trial = trialOf(finished.run, { number, offsetMs, struckMs, bundle });
      made.push(trial);
      await told();
      progress.note(lineOf(trial, count));
      signal.throwIfAborted();
    }
    return { trials: await told(), folder, interrupted: undefined };
  } catch (error) {
    if (!signal.aborted) throw error;
    const ended: unknown = signal.reason;
    return { trials: await told(), folder, interrupted: ended instanceof Error ? ended : new Error(messageOf(ended), { cause: ended }) };
  }
}

function lineOf({ number, offsetMs, struckMs, verdict, outage, reason, durations }: Trial, count: number): string {
  const network = outage?.networkMs ?? undefined;
  const told = verdict === "pass" && network !== undefined ? `network's outage ${network} ms` : reason;
  const late = struckMs !== null && struckMs - offsetMs > 100 ? `, struck ${Math.round(struckMs - offsetMs)} ms late` : "";
  return `trial ${number} of ${count}: offset ${Math.round(offsetMs)} ms${late}: ${verdict}, ${told} (${((durations["totalMs"] ?? Number.NaN) / 1000).toFixed(1)} s)`;
}
