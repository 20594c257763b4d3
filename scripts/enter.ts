import { enterNamespaces } from "../lab/host/namespaces.ts";
import type { Output } from "../lab/progress/terminal.ts";
import { interruption } from "./interruption.ts";
import { prepareHost, type AlsoMade } from "./prepareHost.ts";

/**
 * The outer half of a verb: the host has what is needed, image and keys are in the cache; then the same command line again, in namespaces
 * of its own. Gives the inner one's exit code.
 * @param output where progress is told: not where a verb prints what programs read.
 * @param alongside what else is made meanwhile.
 * @throws Failure (usage) when something is missing, Interrupted.
 */
export async function enterAgain(output: Output = process.stdout, alongside?: AlsoMade): Promise<number> {
  await prepareHost(output, interruption(), alongside && { alongside });
  return inNamespaces();
}

/** The same command line again, in namespaces of its own. Gives the inner one's exit code. */
export function inNamespaces(): Promise<number> {
  return enterNamespaces({ command: process.execPath, args: [...process.execArgv, ...process.argv.slice(1)] });
}
