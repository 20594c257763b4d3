import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { callersFolder } from "../lab/run/portablePath.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";
import type { FlowCounts } from "../lab/traffic/flowSpec.ts";

export const defaultFlowTotal = 50;

/**
 * Reads `--flows`: a total, which the tree's promises will mix of the kinds, or a count for each kind (`tcp=40,udp=8,ssh=2`; a kind that is not named has none).
 * @throws InvalidArgumentError for what is no whole number of at least one flow, or an unknown kind.
 */
export function parseFlows(text: string): number | FlowCounts {
  if (!text.includes("=")) {
    return parseCount(text, 1);
  }
  const counts = { tcp: 0, udp: 0, ssh: 0 };
  for (const part of text.split(",")) {
    const [kind = "", count = "", ...rest] = part.split("=");
    if (!isKind(kind) || rest.length > 0) {
      throw new InvalidArgumentError(`"${part}" is not tcp=N, udp=N or ssh=N.`);
    }
    counts[kind] = parseCount(count, 0);
  }
  if (counts.tcp + counts.udp + counts.ssh < 1) {
    throw new InvalidArgumentError("At least one flow is needed: with none there is nothing to judge.");
  }
  return counts;
}

/** Reads `--json`: a file whose folder exists. @throws InvalidArgumentError otherwise. */
export function parseJsonFile(text: string): string {
  const file = fromCaller(text);
  if (!isFolder(dirname(file))) {
    throw new InvalidArgumentError(`The folder ${dirname(file)} does not exist.`);
  }
  if (isFolder(file)) {
    throw new InvalidArgumentError("It is a folder, not a file.");
  }
  return file;
}

/** Reads `--config`: a folder that holds one of a machine at least. @throws InvalidArgumentError otherwise. */
export function parseConfigFolder(text: string): string {
  const folder = fromCaller(text);
  if (!isFolder(folder)) {
    throw new InvalidArgumentError(`There is no such folder: ${folder}.`);
  }
  const machines = primaryBackup.machines.map(({ name }) => name);
  if (!machines.some((name) => isFolder(join(folder, name)))) {
    throw new InvalidArgumentError(`${folder} is no config tree: it has none of the machines' folders ${machines.join(", ")}.`);
  }
  return folder;
}

/** A path as the user means it, made absolute. */
export function fromCaller(path: string): string {
  return resolve(callersFolder(), path);
}

function parseCount(text: string, least: number): number {
  const count = /^\d{1,6}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(count >= least)) {
    throw new InvalidArgumentError(`"${text}" is not a whole number of at least ${least}.`);
  }
  return count;
}

function isKind(kind: string): kind is keyof FlowCounts {
  return ["tcp", "udp", "ssh"].includes(kind);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
