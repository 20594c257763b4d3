import { enterNamespaces } from "../lab/host/namespaces.ts";
import { requireHost } from "../lab/host/requirements.ts";
import { ensureImage } from "../lab/image/image.ts";
import { ensureKeys } from "../lab/image/keys.ts";
import { TerminalProgress, type Output } from "../lab/progress/terminal.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";
import { interruption } from "./interruption.ts";

/**
 * The outer half of a verb: the host has what is needed, image and keys are in the cache; then the same command line again, in namespaces
 * of its own. Gives the inner one's exit code.
 * @param output where progress is told: not where a verb prints what programs read.
 * @throws Failure (usage) when something is missing, Interrupted.
 */
export async function enterAgain(output: Output = process.stdout): Promise<number> {
  const signal = interruption();
  {
    using progress = new TerminalProgress(output);
    await requireHost(signal);
    await ensureImage({ progress, signal });
    await ensureKeys(
      primaryBackup.machines.map(({ name }) => name),
      signal,
    );
  }
  return enterNamespaces({ command: process.execPath, args: [...process.execArgv, ...process.argv.slice(1)] });
}
