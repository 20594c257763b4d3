import { randomBytes } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** What a file is to hold, whole or as it comes. */
export type FileContent = string | Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Writes a file of a bundle so that it is there whole or not at all: into a temporary file beside it, then by rename.
 * Folders are made as needed.
 * @throws Failure when the path leads out of the folder, or the file cannot be written (disk full, no permission).
 */
export async function writeWhole(folder: string, relativePath: string, content: FileContent): Promise<void> {
  const inside = normalize(relativePath);
  if (isAbsolute(inside) || inside === "." || inside.startsWith("..")) {
    throw new Failure({ tried: `write ${relativePath} into the bundle ${folder}`, seen: "the path leads out of the bundle", remedy: "Give a path below the bundle's folder", exit: exitCode.invalid });
  }
  const path = join(folder, inside);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    // That the temporary file cannot be removed either must not hide why the write failed: it is told beside it.
    const leftover = await rm(temporary, { force: true }).then(
      () => [],
      (removal: unknown) => [`${temporary} could not be removed: ${messageOf(removal)}`],
    );
    throw new Failure({
      tried: `write ${path}`,
      seen: messageOf(error),
      remedy: "Free space on the disk, or choose another folder for runs",
      exit: exitCode.invalid,
      details: leftover,
      cause: error,
    });
  }
}
