import { cacheFolder } from "../lab/host/cacheFolder.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { callersFolder, repositoryFolder } from "../lab/run/portablePath.ts";
import { interruption } from "./interruption.ts";

/** Where a verb's lab runs: with this host's programs, or with those of a container. */
export const hosts = ["local", "container"] as const;

/** The verbs that take `--host`: each brings a lab up and takes it down again. */
const withHost = ["start", "trials", "validate", "mutants", "test", "bench"];

/** What `--host` says among a verb's arguments, and the arguments without it; undefined where it is not said. */
export function hostChoice(args: readonly string[]): { readonly host: string | undefined; readonly rest: string[] } {
  const rest: string[] = [];
  let host: string | undefined;
  if (!withHost.includes(args[0] ?? "")) return { host, rest: [...args] };
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? "";
    if (word === "--") return { host, rest: [...rest, ...args.slice(index)] };
    if (word === "--host" && index + 1 < args.length) {
      index += 1;
      host = args[index];
    } else if (word.startsWith("--host=")) host = word.slice("--host=".length);
    else rest.push(word);
  }
  return { host, rest };
}

/** The verb in a container of the toolbox. Gives its exit code. @throws Failure as runInToolbox. */
export async function inContainer(args: readonly string[]): Promise<number> {
  // Loaded here: no other verb is to wait for testcontainers' code.
  const { runInToolbox } = await import("../lab/toolbox/toolbox.ts");
  using progress = new TerminalProgress(process.stderr);
  return await runInToolbox({ purpose: args[0] === "test" ? "tests" : "lab", repository: repositoryFolder, cache: cacheFolder(), callersFolder: callersFolder(), args, progress, signal: interruption() });
}
