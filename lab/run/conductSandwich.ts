import { newRunId } from "../report/bundle.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import { judgedRun, type FinishedRun, type JudgedRunOptions } from "./judgedRun.ts";
import { setRun, type SettingOptions } from "./runSetting.ts";
import { SandwichRun } from "./sandwichRun.ts";

export interface ConductSandwichOptions extends SettingOptions<SandwichTopology>, Pick<JudgedRunOptions<SandwichRun>, "story" | "runsFolder" | "beforeEnd" | "whileUp"> {
  /** Whether the machines are booted even where saved ones could be restored. */
  readonly cold: boolean;
}

/**
 * Conducts one run of a sandwich: a lab with the config tree, the story in it, the verdict.
 * @throws Failure when host, image, accelerator or config tree do not allow a run at all.
 */
export async function conductSandwich(options: ConductSandwichOptions): Promise<FinishedRun> {
  const { cold, story, runsFolder, beforeEnd, whileUp, progress, signal } = options;
  const setting = await setRun(options);
  return judgedRun<SandwichRun>({
    topology: setting.topology,
    machines: setting.machines,
    start: { id: newRunId(), ...setting.record },
    runsFolder,
    open: (bundle) => SandwichRun.start({ ...setting, keeper: bundle, cold, progress, signal }),
    story,
    signal,
    ...(beforeEnd && { beforeEnd }),
    ...(whileUp && { whileUp }),
  });
}
