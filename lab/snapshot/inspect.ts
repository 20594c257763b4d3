import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { absent } from "../image/manifest.ts";
import { checkOf, isRemembered, noteChecks, notedChecks, type Check } from "./checks.ts";
import { hashFiles } from "./hashFiles.ts";
import { manifestFile, readManifest, type SnapshotManifest } from "./manifest.ts";
import { snapshotKey } from "./parts.ts";

/** How a folder of the cache stands to the snapshot that it should hold. */
export type SnapshotState =
  | { readonly state: "whole"; readonly folder: string; readonly manifest: SnapshotManifest }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly why: string };

/**
 * Compares the snapshot in `folder` with its manifest: small files by hash, large ones by hash unless they are as they were when their
 * hash was right. Remembers the large ones that it finds right. Files that the manifest does not name are nobody's, and left alone.
 */
export async function inspectSnapshot(folder: string, key: string, signal?: AbortSignal): Promise<SnapshotState> {
  const manifest = await readManifest(folder);
  if (typeof manifest === "string") {
    return await damagedUnlessGone(folder, manifest);
  }
  const why = await differenceOf(folder, key, manifest, signal);
  return why === undefined ? { state: "whole", folder, manifest } : await damagedUnlessGone(folder, why);
}

/** Looked at last: another fwlab that removes a snapshot moves it away whole, and until then it may have seemed damaged. */
async function damagedUnlessGone(folder: string, why: string): Promise<SnapshotState> {
  return (await lstat(folder).catch(absent)) === undefined ? { state: "missing" } : { state: "damaged", why };
}

async function differenceOf(folder: string, key: string, { parts, files }: SnapshotManifest, signal?: AbortSignal): Promise<string | undefined> {
  const ownKey = snapshotKey(parts);
  if (ownKey !== key) {
    return `${manifestFile} is of snapshot ${ownKey}`;
  }
  const noted = await notedChecks(folder);
  const remembered = new Map<string, Check>();
  const unknown: string[] = [];
  // Sizes first: they cost nothing, and a hash of the rest would be in vain.
  for (const [name, { sizeBytes, sha256 }] of Object.entries(files)) {
    const status = await lstat(join(folder, name), { bigint: true }).catch(absent);
    if (status?.isFile() !== true) {
      return `${name} is ${status === undefined ? "missing" : "no plain file"}`;
    }
    if (status.size !== BigInt(sizeBytes)) {
      return `${name} has ${status.size} bytes, not ${sizeBytes}`;
    }
    const check = checkOf(sha256, status);
    if (isRemembered(sizeBytes) && isDeepStrictEqual(noted.get(name), check)) {
      remembered.set(name, check);
    } else {
      unknown.push(name);
    }
  }
  return await hashDifference(folder, files, unknown, remembered, signal);
}

/** Compares the `unknown` files by hash, and notes the large ones that are right beside those that are remembered. */
async function hashDifference(
  folder: string,
  files: SnapshotManifest["files"],
  unknown: readonly string[],
  remembered: Map<string, Check>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const hashed = await hashFiles(unknown.map((name) => join(folder, name)), signal).catch(absent);
  if (hashed === undefined) {
    return "a file went away while it was read";
  }
  let news = false;
  for (const { name, sizeBytes, sha256, check } of hashed) {
    const expected = files[name]?.sha256 ?? "none";
    if (sha256 !== expected) {
      return `${name} has SHA-256 ${sha256.slice(0, 12)}…, not ${expected.slice(0, 12)}…`;
    }
    if (isRemembered(sizeBytes) && check !== undefined) {
      remembered.set(name, check);
      news = true;
    }
  }
  if (news) {
    await noteChecks(folder, remembered).catch(absent);
  }
  return undefined;
}
