import type { Command } from "commander";
import { portablePath, repositoryFolder } from "../lab/run/portablePath.ts";
import type { FlowCounts } from "../lab/traffic/flowSpec.ts";
import { shellLine } from "./shellLine.ts";

/** Options that say where results go or how they are told: they are no part of what is repeated. */
const ofTheTelling = new Set(["json", "sarif", "keep", "verbose", "baseline"]);

/** How the values of options that are not plain are written. */
const written: Readonly<Record<string, (value: never) => string>> = {
  flows: (flows: number | FlowCounts) => (typeof flows === "number" ? String(flows) : `tcp=${flows.tcp},udp=${flows.udp},ssh=${flows.ssh}`),
  config: (path: string) => portablePath(path, [repositoryFolder]),
};

/**
 * The command line, for a shell in the repository's folder, that does again what a verb was told to: all its options spelled out, those too that were
 * left to their defaults, for defaults change.
 * @param npm how npm calls the verb: `start`, `run trials`.
 * @param chosen values that the verb chose itself, by the options' names.
 * @param tree the verb's argument, where it is a config tree's folder.
 * @throws TypeError for an option whose value has no written form: this file does not know it yet.
 */
export function repeatCommand(npm: readonly string[], command: Command, chosen: Readonly<Record<string, unknown>> = {}, tree?: string): string {
  const values: Record<string, unknown> = { ...command.opts(), ...chosen };
  const words = command.options.flatMap((option) => {
    const name = option.attributeName();
    const value = values[name];
    if (ofTheTelling.has(name) || value === undefined || value === false) return [];
    const long = option.long ?? `--${name}`;
    return value === true ? [long] : [long, textOf(name, value)];
  });
  return shellLine(["npm", ...npm, "--", ...(tree === undefined ? [] : [portablePath(tree, [repositoryFolder])]), ...words]);
}

function textOf(name: string, value: unknown): string {
  const write = written[name] as ((value: unknown) => string) | undefined;
  if (write !== undefined) return write(value);
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new TypeError(`option ${name} has no written form`);
}
