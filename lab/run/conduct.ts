import { newRunId } from "../report/bundle.ts";
import { judgedRun, type FinishedRun, type JudgedRunOptions } from "./judgedRun.ts";
import { LabRun } from "./labRun.ts";
import { setRun, type SettingOptions } from "./runSetting.ts";

export interface ConductOptions extends SettingOptions, Pick<JudgedRunOptions, "story" | "runsFolder" | "beforeEnd" | "whileUp"> {
  /** Whether the machines are booted even where saved ones could be restored. */
  readonly cold: boolean;
}

/**
 * Conducts one run: a lab with the config tree, the story in it, the verdict.
 * @throws Failure when host, image, accelerator or config tree do not allow a run at all.
 */
export async function conduct(options: ConductOptions): Promise<FinishedRun> {
  const { cold, story, runsFolder, beforeEnd, whileUp, progress, signal } = options;
  const setting = await setRun(options);
  return judgedRun({
    topology: setting.topology,
    machines: setting.machines,
    start: { id: newRunId(), ...setting.record },
    runsFolder,
    open: (bundle) => LabRun.start({ ...setting, keeper: bundle, cold, progress, signal }),
    story,
    signal,
    ...(beforeEnd && { beforeEnd }),
    ...(whileUp && { whileUp }),
  });
}
