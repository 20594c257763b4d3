import type { BigIntStats } from "node:fs";
import { lstat, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { absent, measureFile } from "../image/manifest.ts";
import { jsonText } from "./jsonText.ts";

/** Beside the manifest: the large files whose hash was found right, so that they need not be read again. */
export const checksFile = "checked.json";

/** How long a file must have been left alone before it is hashed, for its hash to be remembered: longer than any tick of the kernel's clock. */
export const atRestMs = 20;

/** Files of this size or less are hashed each time: it costs a millisecond or two. */
const alwaysHashedBytes = 4 * 1024 ** 2;

const checkSchema = z.strictObject({ sha256: z.string(), inode: z.string(), sizeBytes: z.string(), mtimeNs: z.string(), ctimeNs: z.string() });
const checksSchema = z.strictObject({ bootId: z.string(), files: z.record(z.string(), checkSchema) });

/**
 * A file's hash, and how the kernel told the file when it was hashed. While it tells it so, and the host has not booted, the hash is right.
 *
 * Why that is enough against accidents: the kernel sets ctime, by its own clock, whenever a file is written, truncated, renamed or given
 * other permissions, and no call lets a program choose it; a file in another's place has another inode. Three changes would pass, and
 * none meets a snapshot: one in the same tick of the clock as the last (only files at rest are remembered); one that a crash makes by
 * losing what was not yet on the disk, or a disk put into another host (the boot id is another); one through a shared mapping (no writer
 * is left when a snapshot is sealed, and machines that are restored map their memory privately). Against intent it is no defence: who may
 * write here may write another manifest as well.
 */
export type Check = z.infer<typeof checkSchema>;

/** The check of a file with this hash, as `lstat` tells it now. */
export function checkOf(sha256: string, { ino, size, mtimeNs, ctimeNs }: BigIntStats): Check {
  return { sha256, inode: String(ino), sizeBytes: String(size), mtimeNs: String(mtimeNs), ctimeNs: String(ctimeNs) };
}

/** Whether the check of a file of this size is remembered. */
export function isRemembered(sizeBytes: number): boolean {
  return sizeBytes > alwaysHashedBytes;
}

export interface HashedFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Undefined when the file was not at rest before, or changed meanwhile: then the hash may be of another content than it has now. */
  readonly check: Check | undefined;
}

/**
 * Hashes a file.
 * @throws what the file system says; AbortError, with the signal's reason as its cause, when it aborts.
 */
export async function hashFile(path: string, signal?: AbortSignal): Promise<HashedFile> {
  const begunMs = Date.now();
  const before = await lstat(path, { bigint: true });
  const measured = await measureFile(path, signal);
  const check = checkOf(measured.sha256, await lstat(path, { bigint: true }));
  const atRest = Number(before.ctimeMs) <= begunMs - atRestMs;
  return { name: basename(path), ...measured, check: atRest && isDeepStrictEqual(check, checkOf(measured.sha256, before)) ? check : undefined };
}

/** The checks that were right since the host has booted, by file. None when nothing legible was noted. */
export async function notedChecks(folder: string): Promise<ReadonlyMap<string, Check>> {
  const text = await readFile(join(folder, checksFile), "utf8").catch(absent);
  const noted = text === undefined ? undefined : jsonText(checksSchema).safeParse(text).data;
  return new Map(noted !== undefined && noted.bootId === (await bootId()) ? Object.entries(noted.files) : []);
}

/** Notes checks that are right. Half a note is none: so it is written in place. */
export async function noteChecks(folder: string, files: ReadonlyMap<string, Check>): Promise<void> {
  const checks: z.infer<typeof checksSchema> = { bootId: await bootId(), files: Object.fromEntries(files) };
  await writeFile(join(folder, checksFile), `${JSON.stringify(checks, undefined, 2)}\n`);
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
