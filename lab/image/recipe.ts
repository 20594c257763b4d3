import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the guest image is made of. */
export interface Recipe {
  /** Folder of the recipe: `packages`, `dpkg.cfg`, `customize.sh` and what it uses. */
  readonly folder: string;
  /** Hash of everything that decides about the image: the recipe's files and the program that follows it. 16 hex digits. */
  readonly id: string;
  readonly packages: readonly string[];
  readonly dpkgOptions: readonly string[];
}

const builder = fileURLToPath(new URL("build.sh", import.meta.url));
/** To be raised when the builder's TypeScript changes what comes out; build.sh is hashed itself. */
const builderVersion = 1;

/** The recipe that stands in the repository. */
export const recipeFolder = fileURLToPath(new URL("../../fixtures/image/", import.meta.url));

/** Reads a recipe. @throws the file system's error when a file of it is missing: the repository is then not whole. */
export async function readRecipe(folder = recipeFolder): Promise<Recipe> {
  const hash = createHash("sha256").update(`builder ${builderVersion}\n`).update(await readFile(builder));
  for (const entry of await describeTree(folder)) {
    hash.update(`${entry}\n`);
  }
  return {
    folder,
    id: hash.digest("hex").slice(0, 16),
    packages: significantLines(await readFile(join(folder, "packages"), "utf8")),
    dpkgOptions: significantLines(await readFile(join(folder, "dpkg.cfg"), "utf8")),
  };
}

/** Lines of a list file without comments (`#` to the end of the line) and blanks. */
export function significantLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/u, "").trim())
    .filter((line) => line !== "");
}

/**
 * One line for each file, folder and symbolic link below `folder`, in the order of their paths: kind, permissions, path, and the hash of
 * the content or the link's target. Two trees have the same lines exactly when `cp -a` would make the same of them (times and owners aside).
 */
export async function describeTree(folder: string): Promise<string[]> {
  const paths = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(paths.map((path) => describeEntry(folder, path)));
}

async function describeEntry(folder: string, path: string): Promise<string> {
  const full = join(folder, path);
  const status = await lstat(full);
  if (status.isSymbolicLink()) {
    return `link ${path} -> ${await readlink(full)}`;
  }
  const mode = (status.mode & 0o7777).toString(8);
  if (status.isDirectory()) {
    return `folder ${mode} ${path}`;
  }
  const content = createHash("sha256").update(await readFile(full)).digest("hex");
  return `file ${mode} ${path} ${content}`;
}
