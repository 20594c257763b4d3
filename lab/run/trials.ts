import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FaultRecord } from "../evidence/evidence.ts";
import { trialsSchema, type Trial, type Trials } from "../evidence/trials.ts";
import { messageOf } from "../failure/failure.ts";
import { labFolder } from "../host/labFolder.ts";
import { trialOf } from "../judge/trialOf.ts";
import { summarizeTrials } from "../judge/trialsSummary.ts";
import type { Machine } from "../machine/machine.ts";
import { writeWhole } from "../report/atomicFile.ts";
import { newRunId } from "../report/bundle.ts";
import { folderKeeper } from "../report/keeper.ts";
import { mixedFlows, type FlowCounts } from "../traffic/flowSpec.ts";
import { failover } from "./failover.ts";
import { judgedRun, type FinishedRun } from "./judgedRun.ts";
import { LabRun } from "./labRun.ts";
import type { LiveSnapshot } from "./liveSnapshot.ts";
import { setRun, type RunSetting, type SettingOptions } from "./runSetting.ts";
import { strikeOffsets } from "./strikeOffsets.ts";

export interface TrialsOptions extends SettingOptions {
  readonly strike: (machine: Machine) => Promise<FaultRecord>;
  readonly flows: FlowCounts;
  readonly count: number;
  /** The strikes are spread over this many milliseconds: usually the interval between two adverts, whose phase decides an outage. */
  readonly spreadMs: number;
  readonly seed: number;
  /** Whether the lab that is saved is booted even where saved machines could be restored. */
  readonly cold: boolean;
  readonly runsFolder: string;
}

/** Trials that have come to an end, one way or the other. */
export interface FinishedTrials {
  readonly trials: Trials;
  readonly folder: string;
  /** What ended them before their time, if something did. */
  readonly interrupted: Error | undefined;
}

/**
 * From the restore to the strike with offset 0, in milliseconds. Steady traffic before a fault is wanted for 5 s at least (RFC 6413), and the look
 * at everything before it takes its time on emulated machines; a strike that is late is told.
 */
const leadMs = 7_500;

/** Traffic before the lab is saved, in milliseconds: keepalived announces its addresses a second time after 5 s. */
const settleMs = 6_000;

/**
 * Tries a fault again and again from the very same instant: saves a lab with live flows once, then restores it, waits a set offset, strikes and
 * judges, as often as asked. Each trial is a run with a bundle of its own; `trials.json` beside them sums up, and is whole after each trial.
 * @throws Failure when the lab does not come up or cannot be saved; what is wrong in a trial is that trial's verdict.
 */
export async function conductTrials(options: TrialsOptions): Promise<FinishedTrials> {
  const { count, spreadMs, seed, flows, runsFolder, progress, signal } = options;
  const setting = await setRun(options);
  const offsets = strikeOffsets({ count, spreadMs, seed });
  const id = newRunId();
  const folder = join(runsFolder, id);
  const made: Trial[] = [];
  const told = async (): Promise<Trials> => {
    const { topology, config, fault, host, command, versions } = setting.record;
    const trials = trialsSchema.parse({
      ...{ schema: 1, id, topology, config, fault: { id: fault.id, target: fault.target }, host, versions, ...(command !== undefined && { command }) },
      ...{ flows: flows.tcp + flows.udp + flows.ssh, flowKinds: { tcp: flows.tcp, udp: flows.udp, ssh: flows.ssh }, seed, spreadMs, planned: count, trials: made },
      ...summarizeTrials(made, count),
    });
    await writeWhole(folder, "trials.json", `${JSON.stringify(trials, undefined, 2)}\n`);
    return trials;
  };
  await told();
  progress.note(`seed ${seed}: ${count} trials, struck ${leadMs / 1000} s after the restore and up to ${spreadMs} ms later`);
  const savedIn = join(labFolder(), "live");
  try {
    const live = await savedLab(options, setting, join(folder, "saved"), savedIn);
    for (const [index, offsetMs] of offsets.entries()) {
      const number = index + 1;
      const finished = await oneTrial(options, setting, live, { folder, number, offsetMs });
      made.push(finished.trial);
      await told();
      progress.note(lineOf(finished.trial, count));
      signal.throwIfAborted();
    }
    return { trials: await told(), folder, interrupted: undefined };
  } catch (error) {
    if (!signal.aborted) throw error;
    const ended: unknown = signal.reason;
    return { trials: await told(), folder, interrupted: ended instanceof Error ? ended : new Error(messageOf(ended), { cause: ended }) };
  } finally {
    await rm(savedIn, { recursive: true, force: true });
  }
}

/** Brings the lab up, opens the flows, waits until all is steady and replicated, and saves it. */
async function savedLab({ flows, cold, progress, signal }: TrialsOptions, setting: RunSetting, keptIn: string, folder: string): Promise<LiveSnapshot> {
  const { active, backup, server } = setting.topology;
  await mkdir(keptIn, { recursive: true });
  await mkdir(folder, { recursive: true });
  await using run = await LabRun.start({ ...setting, keeper: folderKeeper(keptIn), cold, savable: true, progress, signal });
  await run.ownedBy(active);
  await run.open(mixedFlows(flows, server));
  await run.replicatedTo(backup);
  await run.wait(settleMs);
  using step = progress.step("save the lab with its flows");
  const live = await run.save(folder);
  step.done();
  return live;
}

interface TrialPlace {
  readonly folder: string;
  readonly number: number;
  readonly offsetMs: number;
}

async function oneTrial(options: TrialsOptions, setting: RunSetting, live: LiveSnapshot, { folder, number, offsetMs }: TrialPlace): Promise<FinishedRun & { readonly trial: Trial }> {
  const { count, strike, progress, signal } = options;
  const { topology, machines, prepared, trees, capture, promises, record } = setting;
  const { active, backup } = topology;
  const bundle = `trial-${number.toString().padStart(String(count).length, "0")}`;
  let struckMs: number | undefined;
  const finished = await judgedRun({
    topology,
    machines,
    start: { id: bundle, ...record },
    runsFolder: folder,
    open: (keeper) => LabRun.restore({ topology, trees, prepared, capture, promises, keeper, progress, signal }, live),
    story: async (run) => {
      const strikeOnTime = async (): Promise<FaultRecord> => {
        await run.waitUntil(leadMs + offsetMs);
        struckMs = Math.round(run.sinceBegun()) - leadMs;
        return strike(run.machine(active));
      };
      await run.timed("failoverMs", () => failover(run, { from: active, to: backup, strike: strikeOnTime }));
    },
    signal,
  });
  return { ...finished, trial: trialOf(finished.run, { number, offsetMs, struckMs: struckMs ?? null, bundle }) };
}

function lineOf({ number, offsetMs, struckMs, verdict, outage, reason, durations }: Trial, count: number): string {
  const network = outage?.networkMs ?? undefined;
  const told = verdict === "pass" && network !== undefined ? `network's outage ${network} ms` : reason;
  const late = struckMs !== null && struckMs - offsetMs > 100 ? `, struck ${Math.round(struckMs - offsetMs)} ms late` : "";
  return `trial ${number} of ${count}: offset ${Math.round(offsetMs)} ms${late}: ${verdict}, ${told} (${((durations["totalMs"] ?? Number.NaN) / 1000).toFixed(1)} s)`;
}
