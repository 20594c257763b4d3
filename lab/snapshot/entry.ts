import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { absent } from "../image/manifest.ts";
import { manifestFile, readManifest } from "./manifest.ts";
import type { SnapshotParts } from "./parts.ts";

/** A snapshot of the cache, as its manifest and the file system tell it, without a look at what its files hold. */
export interface SnapshotEntry {
  readonly key: string;
  /** What its manifest says; undefined when that cannot be read. */
  readonly parts: SnapshotParts | undefined;
  readonly madeAt: Date | undefined;
  readonly usedAt: Date | undefined;
  /** Allocated blocks: what a removal gives back. */
  readonly diskBytes: number;
}

/** The entry of the snapshot in `folder`; undefined when it is gone. */
export async function readEntry(folder: string, key: string): Promise<SnapshotEntry | undefined> {
  const names = await readdir(folder).catch(absent);
  if (names === undefined) {
    return undefined;
  }
  const manifest = await readManifest(folder);
  const used = typeof manifest === "string" ? undefined : await stat(join(folder, manifestFile)).catch(absent);
  const statuses = await Promise.all(names.map((name) => lstat(join(folder, name)).catch(absent)));
  return {
    key,
    parts: typeof manifest === "string" ? undefined : manifest.parts,
    madeAt: typeof manifest === "string" ? undefined : new Date(manifest.madeAt),
    usedAt: used?.mtime,
    // stat(2) counts blocks of 512 bytes, whatever the file system's own are.
    diskBytes: statuses.reduce((sum, status) => sum + (status?.blocks ?? 0) * 512, 0),
  };
}

/** Least recently used first; before them those whose manifest cannot be read, as no run ever finds them. */
export function byLastUse(one: SnapshotEntry, other: SnapshotEntry): number {
  return (one.usedAt?.getTime() ?? 0) - (other.usedAt?.getTime() ?? 0);
}
