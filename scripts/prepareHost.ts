import { requireHost } from "../lab/host/requirements.ts";
import { requireSpice } from "../lab/host/spice.ts";
import { ensureImage } from "../lab/image/image.ts";
import { ensureKeys } from "../lab/image/keys.ts";
import { TerminalProgress, type Output } from "../lab/progress/terminal.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";

/** Sees that the host has what is needed, and image and keys are in the cache. @param output where progress is told. @param desktop whether a machine is to have a graphical console. @throws Failure (usage) when something is missing; the signal's reason. */
export async function prepareHost(output: Output, signal: AbortSignal, desktop = false): Promise<void> {
  using progress = new TerminalProgress(output);
  await requireHost(signal);
  if (desktop) await requireSpice(signal);
  await ensureImage({ progress, signal });
  if (desktop) await ensureImage({ variant: "desktop", progress, signal });
  await ensureKeys(
    primaryBackup.machines.map(({ name }) => name),
    signal,
  );
}
