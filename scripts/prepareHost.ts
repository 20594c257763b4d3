import { requireHost } from "../lab/host/requirements.ts";
import { requireSpice } from "../lab/host/spice.ts";
import { ensureImage, type GuestImage } from "../lab/image/image.ts";
import { ensureKeys } from "../lab/image/keys.ts";
import type { Progress } from "../lab/progress/progress.ts";
import { TerminalProgress, type Output } from "../lab/progress/terminal.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";

/** What is there for whoever makes something else meanwhile. */
export interface Making {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The guest image. One image is built at a time: whoever builds another waits for it. */
  readonly image: Promise<GuestImage>;
}

/** Something else that is made for a verb. */
export type AlsoMade = (making: Making) => Promise<void>;

export interface HostOptions {
  /** Whether a machine is to have a graphical console. */
  readonly desktop?: boolean;
  /** Made while the image is. */
  readonly alongside?: AlsoMade;
}

/** Sees that the host has what is needed, and image and keys are in the cache. @param output where progress is told. @throws Failure (usage) when something is missing; the signal's reason. */
export async function prepareHost(output: Output, signal: AbortSignal, { desktop = false, alongside }: HostOptions = {}): Promise<void> {
  using progress = new TerminalProgress(output);
  await requireHost(signal);
  if (desktop) await requireSpice(signal);
  const image = ensureImage({ progress, signal });
  await Promise.all([image, alongside?.({ progress, signal, image })]);
  if (desktop) await ensureImage({ variant: "desktop", progress, signal });
  await ensureKeys(
    primaryBackup.machines.map(({ name }) => name),
    signal,
  );
}
