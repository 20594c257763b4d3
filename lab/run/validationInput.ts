import { lstat, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { firewallBuilderFile } from "../config/firewallBuilderFile.ts";
import { promisesFile, promisesOf, type Promises } from "../config/promises.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { topologies } from "../judge/topologies.ts";
import { hashOfTrees, machineTrees, type MachineTrees } from "../machine/configTree.ts";
import { surveyTree } from "../machine/treeSurvey.ts";
import type { SandwichTopology } from "../topology/sandwich.ts";
import type { PairTopology } from "../topology/topology.ts";
import { fixturesFolder } from "./prepare.ts";
import { treeStack } from "./treeStack.ts";

/** What a user asked to have validated, found usable. Paths are absolute. */
export interface ValidationInput {
  readonly tree: string;
  readonly base: string | undefined;
  /** Config trees, lowest first: the base, then the user's. */
  readonly trees: readonly string[];
  /** The Firewall Builder file that the firewalls' rules are compiled from: at the tree's top, or at its base's. */
  readonly policy: string | undefined;
  readonly topology: PairTopology | SandwichTopology;
  readonly promises: Promises;
  /** What the machines get from the trees, without what a policy is compiled to. */
  readonly machines: MachineTrees;
  readonly sha256: string;
}

export interface InputOptions {
  /** Folder of a whole tree, or of the files that differ from `base`. Relative paths are seen from `from`. */
  readonly tree: string;
  /** A reference tree by its name in fixtures/, or the folder of any tree. */
  readonly base?: string | undefined;
  readonly from: string;
}

/** All names that a machine of any topology has. */
const allMachines = [...new Set([...topologies.values()].flatMap(({ machines }) => machines.map(({ name }) => name)))];

/** Larger files are no promises. */
const maximumPromisesBytes = 64 * 1024;

/**
 * Reads what is to be validated, and refuses what no lab should get.
 * @throws Failure (usage), in one line, for a path that is no config tree, an unknown base, a machine without files, or what `surveyTree` refuses.
 */
export async function readInput({ tree, base, from }: InputOptions): Promise<ValidationInput> {
  const folder = await treeFolder(resolve(from, tree));
  const below = base === undefined ? undefined : await baseFolder(base, from);
  for (const each of below === undefined ? [folder] : [below, folder]) {
    await surveyTree(each, allMachines);
    // Before anybody reads it.
    await holderOf([each], promisesFile);
  }
  const trees = [...new Set([...(below === undefined ? [] : await treeStack(below)), ...(await treeStack(folder))])];
  for (const each of trees) await surveyTree(each, allMachines);
  const topmost = await holderOf(trees, promisesFile);
  const promises = await promisesOf(...trees);
  const topology = topologies.get(promises.topology);
  if (topology === undefined) {
    throw unusable(join(topmost ?? folder, promisesFile), `it names the topology ${promises.topology}, which fwlab does not have`, `Name one of ${[...topologies.keys()].join(", ")}`);
  }
  const names = topology.machines.map(({ name }) => name);
  const machines = await machineTrees(trees, names);
  await refuseMissing(trees, names);
  return { tree: folder, base: below, trees, policy: (await firewallBuilderFile(trees))?.path, topology, promises, machines, sha256: hashOfTrees(machines) };
}

/** The names that `--base` knows: folders of fixtures/ that hold both firewalls. */
export async function knownBases(folder = fixturesFolder): Promise<string[]> {
  const names = await readdir(folder);
  const whole = await Promise.all(names.map(async (name) => (await isFolder(join(folder, name, "fw-1"))) && (await isFolder(join(folder, name, "fw-2")))));
  return names.filter((_, index) => whole[index]).toSorted();
}

/** The folder of a reference tree by its name in fixtures/, or of any tree by its path. @throws Failure (usage) that lists the names. */
export async function baseFolder(base: string, from: string): Promise<string> {
  const known = await knownBases();
  if (known.includes(base)) return join(fixturesFolder, base);
  const folder = resolve(from, base);
  if (await isFolder(folder)) return treeFolder(folder);
  throw unusable(base, "it is neither the name of a reference tree nor a folder", `Name one of ${known.join(", ")}, or give the folder of a config tree as --base`);
}

async function treeFolder(folder: string): Promise<string> {
  const stat = await lstat(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(folder, messageOf(error), "Give a folder that this user may read", error);
  });
  if (stat === undefined) throw unusable(folder, "there is no such folder", "Give the folder that holds fw-1/ and fw-2/");
  if (!stat.isDirectory() && !(stat.isSymbolicLink() && (await isFolder(`${folder}/`)))) {
    throw unusable(folder, "it is no folder", `Give the folder that holds fw-1/ and fw-2/${folder.endsWith(".fwb") ? `, ${dirname(folder)} perhaps` : ""}`);
  }
  const names = await readdir(folder).catch((error: unknown) => {
    throw unusable(folder, messageOf(error), "Give a folder that this user may read", error);
  });
  if (!["common", ...allMachines].some((name) => names.includes(name)) && !names.some((name) => name.endsWith(".fwb"))) {
    throw unusable(folder, `it is no config tree: ${heldBy(names)}, and none of the machines' folders ${allMachines.join(", ")}`, "Put the firewalls' files in fw-1/etc/… and fw-2/etc/…");
  }
  return folder;
}

/** A machine without any file of its own would come up without addresses, and the run would say only that. */
async function refuseMissing(trees: readonly string[], names: readonly string[]): Promise<void> {
  for (const name of names) {
    const alone = await Promise.all(trees.map((tree) => readdir(join(tree, name)).catch(() => [])));
    if (alone.some((entries) => entries.length > 0)) continue;
    const tree = trees.at(-1) ?? "";
    throw unusable(
      tree,
      `it has no files for ${name}, only ${heldBy(await readdir(tree)).replace(/^it holds /u, "")}`,
      trees.length > 1 ? `Nor has ${trees[0] ?? ""}: add ${name}/etc/… to one of them` : `Add ${name}/etc/…, or take what you leave out from a reference tree: --base ${(await knownBases())[0] ?? "NAME"}`,
    );
  }
}

/** The topmost of the trees that has a file. */
async function holderOf(trees: readonly string[], name: string): Promise<string | undefined> {
  for (const tree of trees.toReversed()) {
    if ((await readdir(tree)).includes(name)) {
      await refuseUnlessPlain(join(tree, name), maximumPromisesBytes);
      return tree;
    }
  }
  return undefined;
}

/** A pipe would be waited for, and a link would bring in what is not of the tree. */
async function refuseUnlessPlain(path: string, maximumBytes: number): Promise<void> {
  const stat = await lstat(path);
  if (!stat.isFile()) throw unusable(path, "it is no plain file", "Put the file itself there");
  if (stat.size > maximumBytes) throw unusable(path, `it has ${stat.size} bytes, more than the ${maximumBytes} allowed`, "Give a file of that kind alone");
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}

function heldBy(names: readonly string[]): string {
  const shown = names.filter((name) => !/\p{Cc}/u.test(name)).toSorted();
  return names.length === 0 ? "it is empty" : `it holds ${shown.slice(0, 6).join(", ")}${names.length > 6 ? ` and ${names.length - 6} more` : ""}`;
}

function unusable(path: string, seen: string, remedy: string, cause?: unknown): Failure {
  return new Failure({ tried: `validate ${/\p{Cc}/u.test(path) ? JSON.stringify(path) : path}`, seen, remedy, exit: exitCode.usage, cause });
}
