import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FaultRecord } from "../evidence/evidence.ts";
import { labFolder } from "../host/labFolder.ts";
import type { Machine } from "../machine/machine.ts";
import { folderKeeper } from "../report/keeper.ts";
import { mixedFlows } from "../traffic/flowSpec.ts";
import { failover } from "./failover.ts";
import { judgedRun } from "./judgedRun.ts";
import { LabRun } from "./labRun.ts";
import type { LiveSnapshot } from "./liveSnapshot.ts";
import { setRun, type RunSetting, type SettingOptions } from "./runSetting.ts";
import { trialSeries, type Attempt, type FinishedTrials, type SeriesOptions, type TrialPlace } from "./trialSeries.ts";

export interface TrialsOptions extends SettingOptions, SeriesOptions {
  readonly strike: (machine: Machine) => Promise<FaultRecord>;
  /** Whether the lab that is saved is booted even where saved machines could be restored. */
  readonly cold: boolean;
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
 * judges, as often as asked.
 * @throws Failure when the lab does not come up or cannot be saved; what is wrong in a trial is that trial's verdict.
 */
export async function conductTrials(options: TrialsOptions): Promise<FinishedTrials> {
  const setting = await setRun(options);
  const savedIn = join(labFolder(), "live");
  try {
    return await trialSeries(setting.record, options, {
      since: `${leadMs / 1000} s after the restore`,
      ready: async (folder) => {
        const live = await savedLab(options, setting, join(folder, "saved"), savedIn);
        return (place) => oneTrial(options, setting, live, place);
      },
    });
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

async function oneTrial({ strike, progress, signal }: TrialsOptions, setting: RunSetting, live: LiveSnapshot, { folder, bundle, offsetMs }: TrialPlace): Promise<Attempt> {
  const { topology, machines, prepared, trees, capture, promises, record } = setting;
  const { active, backup } = topology;
  let struckMs: number | null = null;
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
  return { finished, struckMs };
}
