import { chmod, cp, lstat, mkdir, readdir, readFile, readlink, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { applyPatch, type StructuredPatch } from "diff";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Alteration } from "./alteration.ts";

/** Modes of git's index. Source: gitformat-index(5). */
const linkMode = "120000";
const plainMode = "100644";
const executableMode = "100755";

/** Something of a tree, as git sees it: a link's content is its target. */
interface Held {
  readonly mode: string;
  readonly text: string;
}

/**
 * Copies a tree and applies an alteration's patch to the copy: contents, modes, links, new files and deletions.
 * @param base folder of the tree that the patch is for; it is only read.
 * @param into folder that is made for the copy.
 * @throws Failure (usage), one line, when the patch does not fit the tree to the letter.
 */
export async function applyAlteration({ name, kind, base: baseName, patches }: Pick<Alteration, "name" | "kind" | "base" | "patches">, base: string, into: string): Promise<void> {
  try {
    await cp(base, into, { recursive: true, verbatimSymlinks: true, errorOnExist: true, force: false });
    for (const patch of patches) await applyOne(patch, into);
  } catch (error) {
    throw new Failure({ tried: `apply the ${kind} ${name} to ${baseName}`, seen: messageOf(error), remedy: "Make the patch again from the tree as it is now", exit: exitCode.usage, cause: error });
  }
}

async function applyOne(patch: StructuredPatch, folder: string): Promise<void> {
  const name = nameOf(patch);
  if (patch.isBinary === true) throw new Error(`${name}: a binary change cannot be applied`);
  if (patch.isRename === true || patch.isCopy === true) throw new Error(`${name}: it is renamed or copied; git diff --no-renames writes what can be applied`);
  const path = join(folder, name);
  await refuseThroughLink(name, folder);
  const before = await heldAt(path);
  if (patch.isCreate === true) {
    if (before !== undefined) throw new Error(`${name}: it is to be new, and is there already`);
    return write(path, { mode: patch.newMode ?? plainMode, text: patched("", patch, name) });
  }
  if (before === undefined) throw new Error(`${name}: there is no such file`);
  if (patch.oldMode !== undefined && patch.oldMode !== before.mode) throw new Error(`${name}: its mode is ${before.mode}, not ${patch.oldMode}`);
  const text = patched(before.text, patch, name);
  await rm(path);
  if (patch.isDelete !== true) return write(path, { mode: patch.newMode ?? before.mode, text });
  if (text !== "") throw new Error(`${name}: it is to be deleted, and holds more than the patch says`);
  await removeEmpty(dirname(path), folder);
}

function nameOf({ oldFileName, newFileName }: StructuredPatch): string {
  const named = newFileName === undefined || newFileName === "/dev/null" ? oldFileName : newFileName;
  const name = (named ?? "").replace(/^[ab]\//u, "");
  if (name === "" || name.startsWith("/") || normalize(name) !== name || name.split("/")[0] === "..") throw new Error(`${JSON.stringify(named)} is no file of a tree`);
  return name;
}

/** A link in the way would have the patch write elsewhere on this host. */
async function refuseThroughLink(name: string, folder: string): Promise<void> {
  for (let part = dirname(name); part !== "."; part = dirname(part)) {
    const stat = await lstat(join(folder, part)).catch(() => undefined);
    if (stat?.isSymbolicLink() === true) throw new Error(`${name}: it leads through a link, ${part}`);
  }
}

function patched(text: string, patch: StructuredPatch, name: string): string {
  if (patch.hunks.length === 0) return text;
  // As git does: each line to the letter, at its place or elsewhere.
  const result = applyPatch(text, patch, { fuzzFactor: 0, autoConvertLineEndings: false });
  if (result === false) throw new Error(`${name}: the lines that it changes are not there`);
  return result;
}

async function heldAt(path: string): Promise<Held | undefined> {
  const stat = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) return { mode: linkMode, text: await readlink(path) };
  if (!stat.isFile()) throw new Error(`${path}: it is neither file nor link`);
  return { mode: (stat.mode & 0o100) === 0 ? plainMode : executableMode, text: await readFile(path, "utf8") };
}

async function write(path: string, { mode, text }: Held): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (mode === linkMode) return symlink(text, path);
  if (mode !== plainMode && mode !== executableMode) throw new Error(`${path}: mode ${mode} is none of a file or link`);
  await writeFile(path, text);
  await chmod(path, mode === executableMode ? 0o755 : 0o644);
}

/** Git knows no empty folders. */
async function removeEmpty(from: string, top: string): Promise<void> {
  for (let folder = from; folder !== top && (await readdir(folder)).length === 0; folder = dirname(folder)) await rmdir(folder);
}
