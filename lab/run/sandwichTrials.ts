import type { FaultRecord } from "../evidence/evidence.ts";
import type { SandwichLoadOptions } from "../load/sandwichLoad.ts";
import type { Machine } from "../machine/machine.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { judgedRun } from "./judgedRun.ts";
import { prepare } from "./prepare.ts";
import { setRun, type SettingOptions } from "./runSetting.ts";
import { cutOfSandwich } from "./sandwichCut.ts";
import { SandwichRun } from "./sandwichRun.ts";
import { startLab } from "./startLab.ts";
import { trialSeries, type FinishedTrials, type SeriesOptions } from "./trialSeries.ts";

export interface SandwichTrialsOptions extends Omit<SettingOptions<SandwichTopology>, "fault">, SeriesOptions {
  readonly strike: (machine: Machine) => Promise<FaultRecord>;
  readonly load: SandwichLoadOptions;
  /** Whether each trial boots its machines even where saved ones could be restored. */
  readonly cold: boolean;
}

/**
 * Tries a sandwich's power cut again and again, under flows and load that each trial opens anew: they end in native hosts, which are not saved with the machines. Each begins with the machines as
 * they were saved with the config tree; the victim stays off.
 * @throws Failure when the lab does not come up; what is wrong in a trial is that trial's verdict.
 */
export async function conductSandwichTrials(options: SandwichTrialsOptions): Promise<FinishedTrials> {
  const { topology, flows, load, strike, cold, progress, signal } = options;
  const { fault } = cutOfSandwich(topology, flows.tcp, load);
  const prepared = options.prepared ?? (await prepare({ topology, accelerator: options.accelerator, progress, signal }));
  const setting = await setRun({ ...options, fault, prepared });
  return await trialSeries(setting.record, options, {
    since: "when all was steady for 5 s",
    ready: async (folder) => {
      // Once, so that no trial has to lay the trees.
      if (!cold) await (await startLab({ ...setting, keptIn: folder, cold, writes: "private", progress, signal })).lab[Symbol.asyncDispose]();
      return async ({ folder: runsFolder, bundle, offsetMs }) => {
        let struckMs: number | null = null;
        const strikeOnTime = async (run: SandwichRun, target: string): Promise<FaultRecord> => {
          const steadyAtMs = performance.now();
          await run.wait(offsetMs);
          struckMs = Math.round(performance.now() - steadyAtMs);
          return strike(run.lab.machine(target));
        };
        const finished = await judgedRun<SandwichRun>({
          topology,
          machines: setting.machines,
          start: { id: bundle, ...setting.record },
          runsFolder,
          open: (keeper) => SandwichRun.start({ ...setting, keeper, cold, progress, signal }),
          story: cutOfSandwich(topology, flows.tcp, load, { strike: strikeOnTime, failback: false }).story,
          signal,
        });
        return { finished, struckMs };
      };
    },
  });
}
