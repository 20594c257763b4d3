import { readdir } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import type { HistoryEntry } from "../evidence/history.ts";
import { topologies } from "../judge/topologies.ts";
import { configHash, machineTree, type TreeEntry } from "../machine/configTree.ts";
import { keptConfigFolder } from "../machine/keptConfig.ts";

/**
 * The files that differ between the config trees of two runs, as `machine/path`, in the order of their names. Each tree is looked for in the run's bundle,
 * or where the run had it, below the folder that the runs' folder is in.
 * @returns undefined when a tree is not there any more, or is not what it was: then nothing is known of its files.
 */
export async function differingConfigFiles(base: HistoryEntry, next: HistoryEntry, runsFolder: string): Promise<string[] | undefined> {
  const machines = topologies.get(next.topology)?.machines.map(({ name }) => name) ?? [];
  const [before, now] = await Promise.all([base, next].map((entry) => treesOf(entry, machines, runsFolder)));
  if (before === undefined || now === undefined) return undefined;
  const found: string[] = [];
  for (const machine of machines) {
    const [left, right] = await Promise.all([filesOf(before, machine), filesOf(now, machine)]);
    found.push(...[...new Set([...left.keys(), ...right.keys()])].filter((path) => left.get(path) !== right.get(path)).toSorted().map((path) => `${machine}/${path}`));
  }
  return found;
}

/** The trees that still are what the run had. */
async function treesOf({ folder, config }: HistoryEntry, machines: readonly string[], runsFolder: string): Promise<readonly string[] | undefined> {
  const bundle = join(runsFolder, folder);
  const names = await readdir(bundle).catch(() => []);
  const trial = names.filter((name) => /^trial-\d+$/u.test(name)).toSorted()[0];
  const candidates = [
    [join(bundle, keptConfigFolder)],
    ...(trial === undefined ? [] : [[join(bundle, trial, keptConfigFolder)]]),
    [config.path, ...config.overlays].map((path) => (isAbsolute(path) ? path : join(dirname(runsFolder), path))),
  ];
  for (const trees of candidates) if (await isStill(trees, machines, config.sha256)) return trees;
  return undefined;
}

/** A tree that cannot be read hashes to nothing. */
async function isStill(trees: readonly string[], machines: readonly string[], sha256: string): Promise<boolean> {
  try {
    return (await configHash(trees, machines)) === sha256;
  } catch {
    return false;
  }
}

async function filesOf(trees: readonly string[], machine: string): Promise<Map<string, string>> {
  return new Map((await machineTree(trees, machine)).flatMap((entry) => (entry.type === "folder" ? [] : [[entry.path, contentOf(entry)]])));
}

function contentOf(entry: Exclude<TreeEntry, { readonly type: "folder" }>): string {
  return entry.type === "link" ? `link ${entry.target}` : `${entry.mode.toString(8)} ${entry.content.toString("base64")}`;
}
