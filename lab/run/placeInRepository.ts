import { lstat, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { execa } from "execa";
import { findProgram } from "../host/requirements.ts";
import type { ValidationInput } from "./validationInput.ts";

/**
 * Where the files that findings name are, relative to the repository that the user's tree is in, with slashes: in the topmost tree that has the file, else
 * where the user's tree should have it. What lies outside of the repository, and a tree in none, is told relative to the tree.
 * @param files as findings name them.
 */
export async function placesInRepository({ tree, trees, policy }: Pick<ValidationInput, "tree" | "trees" | "policy">, files: readonly string[]): Promise<(file: string) => string> {
  // Git resolves the symbolic links on the way to a tree.
  const real = await Promise.all(trees.map((each) => realpath(each)));
  const root = await repositoryOf(await realpath(tree));
  const realPolicy = policy === undefined ? undefined : await realpath(policy);
  const places = new Map<string, string>();
  for (const file of new Set(files)) places.set(file, within(root, await holder(file, real, realPolicy), file));
  return (file) => places.get(file) ?? file;
}

async function holder(file: string, trees: readonly string[], policy: string | undefined): Promise<string> {
  if (policy !== undefined && file.endsWith(".fwb")) return policy;
  for (const tree of trees.toReversed()) if ((await lstat(join(tree, file)).catch(() => undefined)) !== undefined) return join(tree, file);
  return join(trees.at(-1) ?? "", file);
}

function within(root: string, path: string, otherwise: string): string {
  const inside = relative(root, path);
  return isAbsolute(inside) || inside.split(sep)[0] === ".." ? otherwise : inside.split(sep).join("/");
}

/** The root of the git repository that a folder is in; the folder itself when it is in none, or there is no git. */
async function repositoryOf(folder: string): Promise<string> {
  const git = findProgram("git");
  if (git === undefined) return folder;
  // In the namespaces of an ordinary user the checkout seems to belong to somebody else, which git refuses; nothing of it is executed.
  const { exitCode, stdout } = await execa(git, ["-c", "safe.directory=*", "-c", "core.fsmonitor=false", "rev-parse", "--show-toplevel"], { cwd: folder, reject: false, stdin: "ignore", timeout: 20_000 });
  return exitCode === 0 ? stdout : folder;
}
