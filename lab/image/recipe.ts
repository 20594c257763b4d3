import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The guest images that there are: what every machine boots, and what one with a graphical console boots. */
export type ImageVariant = "lean" | "desktop";

/** What a guest image is made of. */
export interface Recipe {
  readonly variant: ImageVariant;
  /** Folder of the recipe: `packages`, `dpkg.cfg`, `customize.sh` and what it uses. */
  readonly folder: string;
  /** Hash of everything that decides about the image: the recipe's files and the program that follows it. 16 hex digits. */
  readonly id: string;
  readonly packages: readonly string[];
  readonly dpkgOptions: readonly string[];
  /** Bytes that kernel, initrd and root may have together. */
  readonly sizeLimitBytes: number;
}

const builder = fileURLToPath(new URL("build.sh", import.meta.url));
/** To be raised when the builder's TypeScript changes what comes out; build.sh is hashed itself. */
const builderVersion = 1;

/** The recipes that stand in the repository: the lean image's, and what the desktop has beside it. */
export const recipeFolder = fileURLToPath(new URL("../../fixtures/image/", import.meta.url));
export const desktopFolder = fileURLToPath(new URL("../../fixtures/desktop/", import.meta.url));

/** Reads the recipe of an image. @throws as `readRecipe`. */
export const recipes: Readonly<Record<ImageVariant, () => Promise<Recipe>>> = { lean: () => readRecipe(), desktop: () => readDesktopRecipe() };

/** Reads the lean image's recipe. @throws the file system's error when a file of it is missing: the repository is then not whole. */
export async function readRecipe(folder = recipeFolder): Promise<Recipe> {
  const hash = createHash("sha256").update(`builder ${builderVersion}\n`).update(await readFile(builder));
  for (const entry of await describeTree(folder)) {
    hash.update(`${entry}\n`);
  }
  return {
    variant: "lean",
    folder,
    id: hash.digest("hex").slice(0, 16),
    packages: significantLines(await readFile(join(folder, "packages"), "utf8")),
    dpkgOptions: significantLines(await readFile(join(folder, "dpkg.cfg"), "utf8")),
    sizeLimitBytes: 140_000_000,
  };
}

/** Reads the desktop's recipe, which begins with the lean image's: whatever changes that one changes it. @throws as `readRecipe`. */
export async function readDesktopRecipe(folder = desktopFolder, leanFolder = recipeFolder): Promise<Recipe> {
  const lean = await readRecipe(leanFolder);
  const hash = createHash("sha256").update(`desktop of ${lean.id}\n`);
  for (const entry of await describeTree(folder)) {
    hash.update(`${entry}\n`);
  }
  const lines = significantLines(await readFile(join(folder, "packages"), "utf8"));
  const without = new Set(lines.filter((line) => line.startsWith("-")).map((line) => line.slice(1)));
  return {
    variant: "desktop",
    folder,
    id: hash.digest("hex").slice(0, 16),
    packages: [...lean.packages.filter((name) => !without.has(name)), ...lines.filter((line) => !line.startsWith("-"))],
    dpkgOptions: [...lean.dpkgOptions, ...significantLines(await readFile(join(folder, "dpkg.cfg"), "utf8"))],
    sizeLimitBytes: 260_000_000,
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
