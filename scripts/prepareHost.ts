import { requireHost } from "../lab/host/requirements.ts";
import { ensureImage } from "../lab/image/image.ts";
import { ensureKeys } from "../lab/image/keys.ts";
import { TerminalProgress, type Output } from "../lab/progress/terminal.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";

/** Sees that the host has what is needed, and image and keys are in the cache. @param output where progress is told. @throws Failure (usage) when something is missing; the signal's reason. */
export async function prepareHost(output: Output, signal: AbortSignal): Promise<void> {
  using progress = new TerminalProgress(output);
  await requireHost(signal);
  await ensureImage({ progress, signal });
  await ensureKeys(
    primaryBackup.machines.map(({ name }) => name),
    signal,
  );
}
