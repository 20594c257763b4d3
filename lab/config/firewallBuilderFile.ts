import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** A policy in Firewall Builder's own format, at the top of a config tree beside the machines' folders. No machine gets the file itself. */
export interface FirewallBuilderFile {
  readonly path: string;
  /** The tree that it is in, as it was given. */
  readonly tree: string;
  readonly content: Buffer;
}

/** Where a firewall gets the script that was made of its object: the folder that Firewall Builder itself installs into, unless told otherwise. No leading slash. */
export function scriptPath(firewall: string): string {
  return `etc/fw/${firewall}.fw`;
}

/** Firewall Builder 5.3.7's own objects have 78 kB; a site with hundreds of firewalls has a few MB. */
const maximumBytes = 16 * 1024 * 1024;

const remedy = "Put one file NAME.fwb, as Firewall Builder saves it, beside the machines' folders, or none";

function unusable(path: string, seen: string, cause?: unknown): Failure {
  return new Failure({ tried: `read Firewall Builder's policy ${path}`, seen, remedy, exit: exitCode.usage, cause });
}

/**
 * The file `*.fwb` at the top of these config trees, which are laid lowest first; undefined where there is none. As with all that trees hold, an upper
 * tree's file is in the place of a lower one's, whatever they are called. A tree that is not there has none.
 * @throws Failure (usage) when one tree has several, or it is no regular file of a sane size, or cannot be read.
 */
export async function firewallBuilderFile(trees: readonly string[]): Promise<FirewallBuilderFile | undefined> {
  for (const tree of trees.toReversed()) {
    const [name, ...more] = await fwbNames(tree);
    if (name === undefined) continue;
    if (more.length === 0) return readPolicy(tree, join(tree, name));
    const seen = `there are ${1 + more.length}, and which one holds is not told: ${[name, ...more].join(", ")}`;
    throw new Failure({ tried: `find Firewall Builder's policy in ${tree}`, seen, remedy, exit: exitCode.usage });
  }
  return undefined;
}

async function readPolicy(tree: string, path: string): Promise<FirewallBuilderFile> {
  try {
    // lstat: a link could lead out of the tree.
    const stat = await lstat(path);
    if (!stat.isFile()) throw unusable(path, stat.isSymbolicLink() ? "it is a symbolic link" : "it is no regular file");
    if (stat.size > maximumBytes) throw unusable(path, `it has ${stat.size} bytes, more than the ${maximumBytes} allowed`);
    return { path, tree, content: await readFile(path) };
  } catch (error) {
    throw error instanceof Failure ? error : unusable(path, messageOf(error), error);
  }
}

async function fwbNames(tree: string): Promise<string[]> {
  try {
    return (await readdir(tree)).filter((name) => name.endsWith(".fwb")).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unusable(tree, messageOf(error), error);
  }
}
