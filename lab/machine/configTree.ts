import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, lstat, readdir, readFile, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** A file, folder or symbolic link to be laid over a guest's root. Paths have no leading slash. */
export type TreeEntry =
  | { readonly type: "folder"; readonly path: string; readonly mode: number }
  | { readonly type: "link"; readonly path: string; readonly target: string }
  | { readonly type: "file"; readonly path: string; readonly mode: number; readonly content: Buffer };

/** An entry, and where its author has it. */
export type SourcedEntry = TreeEntry & {
  /** The config tree that it is from. */
  readonly tree: string;
  /** Its path in that tree: `common/etc/…`, `fw-1/etc/…`. */
  readonly file: string;
};

/** The folder of a tree that goes to every machine, before the machine's own. */
export const commonFolder = "common";

/** Larger files are no configuration, and every machine would hold them in memory. */
export const maximumFileBytes = 16 * 1024 * 1024;

function unusable(path: string, seen: string, cause?: unknown): Failure {
  return new Failure({
    tried: `read the config tree at ${path}`,
    seen,
    remedy: "A config tree holds regular files, folders and symbolic links, as they are to lie on the guests' root",
    exit: exitCode.usage,
    cause,
  });
}

async function readFolder(folder: string, prefix: string, entries: TreeEntry[]): Promise<void> {
  const names = (await readdir(folder)).sort();
  for (const name of names) {
    const path = join(folder, name);
    const inGuest = prefix === "" ? name : `${prefix}/${name}`;
    // lstat and readlink: a link is copied as a link, so nothing outside the tree is ever read.
    const stat = await lstat(path);
    if (stat.isSymbolicLink()) {
      entries.push({ type: "link", path: inGuest, target: await readlink(path) });
    } else if (stat.isDirectory()) {
      entries.push({ type: "folder", path: inGuest, mode: 0o755 });
      await readFolder(path, inGuest, entries);
    } else if (!stat.isFile()) {
      throw unusable(path, "it is neither file, folder nor symbolic link");
    } else if (stat.size > maximumFileBytes) {
      throw unusable(path, `it has ${stat.size} bytes, more than the ${maximumFileBytes} allowed`);
    } else {
      // Only the owner's execute bit counts, as in git: permissions in a checkout depend on the umask.
      entries.push({ type: "file", path: inGuest, mode: (stat.mode & 0o100) === 0 ? 0o644 : 0o755, content: await readFile(path) });
    }
  }
}

/**
 * The files that a machine gets from config trees, in the order in which they are laid over its root: for each tree, lowest first, its
 * `common` folder and then the machine's own. A later entry replaces an earlier one of the same path.
 * @throws Failure when a tree cannot be read or holds something else than files, folders and links.
 */
export async function machineTree(trees: readonly string[], machineName: string): Promise<TreeEntry[]> {
  return (await sourcedTree(trees, machineName)).map(withoutSource);
}

function withoutSource(entry: SourcedEntry): TreeEntry {
  const { path } = entry;
  switch (entry.type) {
    case "folder":
      return { type: entry.type, path, mode: entry.mode };
    case "link":
      return { type: entry.type, path, target: entry.target };
    case "file":
      return { type: entry.type, path, mode: entry.mode, content: entry.content };
  }
}

/** As machineTree, and where in which tree each entry stands: of those that replace each other, the one that the machine gets. @throws Failure as machineTree. */
export async function sourcedTree(trees: readonly string[], machineName: string): Promise<SourcedEntry[]> {
  const byPath = new Map<string, SourcedEntry>();
  for (const tree of trees) {
    for (const part of [commonFolder, machineName]) {
      const entries: TreeEntry[] = [];
      const folder = join(tree, part);
      try {
        await access(folder, constants.R_OK | constants.X_OK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        throw unusable(folder, messageOf(error), error);
      }
      // Access follows links: one in a folder's place would bring in what is not of the tree.
      if (!(await lstat(folder)).isDirectory()) throw unusable(folder, "it is no folder of the tree itself");
      try {
        await readFolder(folder, "", entries);
      } catch (error) {
        throw error instanceof Failure ? error : unusable(folder, messageOf(error), error);
      }
      for (const entry of entries) byPath.set(entry.path, { ...entry, tree, file: `${part}/${entry.path}` });
    }
  }
  // Parents come before what they hold.
  const entries = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  refuseFilesInFiles(entries, byPath, trees);
  return entries;
}

/** One tree's file or link in the place of another's folder: what is in the folder would be written nowhere, or through the link. */
function refuseFilesInFiles(entries: readonly TreeEntry[], byPath: ReadonlyMap<string, TreeEntry>, trees: readonly string[]): void {
  for (const { path } of entries) {
    const holder = byPath.get(dirname(path));
    if (holder !== undefined && holder.type !== "folder") throw unusable(trees.join(" + "), `${holder.path} is a ${holder.type} in one of them, and holds ${path} in another`);
  }
}

/** What the machines get from config trees, in the order of `machineNames`. */
export type MachineTrees = ReadonlyMap<string, readonly TreeEntry[]>;

/** What each machine gets from these trees. @throws Failure as machineTree. */
export async function machineTrees(trees: readonly string[], machineNames: readonly string[]): Promise<MachineTrees> {
  const all = new Map<string, readonly TreeEntry[]>();
  for (const name of machineNames) all.set(name, await machineTree(trees, name));
  return all;
}

/**
 * SHA-256, in hex, over what the machines get: names, kinds, modes and bytes. For each machine's each entry, in the order of their paths: machine,
 * path, kind, octal mode (none for a link) and length, each ended by a NUL, then the content, or the link's target.
 */
export function hashOfTrees(machines: MachineTrees): string {
  const hash = createHash("sha256");
  for (const [name, entries] of machines) {
    for (const entry of entries) {
      const content = entry.type === "file" ? entry.content : Buffer.from(entry.type === "link" ? entry.target : "");
      hash.update(`${name}\0${entry.path}\0${entry.type}\0${"mode" in entry ? entry.mode.toString(8) : ""}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest("hex");
}

/** `hashOfTrees` of what is in these folders now. @throws Failure as machineTree. */
export async function configHash(trees: readonly string[], machineNames: readonly string[]): Promise<string> {
  return hashOfTrees(await machineTrees(trees, machineNames));
}
