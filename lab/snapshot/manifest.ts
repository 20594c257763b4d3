import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { absent } from "../image/manifest.ts";
import { atRestMs, checksFile, isRemembered, noteChecks, type Check } from "./checks.ts";
import { hashFiles } from "./hashFiles.ts";
import { jsonText } from "./jsonText.ts";
import { partsSchema, type SnapshotParts } from "./parts.ts";

/** Says what a snapshot is; its mtime is when the snapshot was used last. */
export const manifestFile = "manifest.json";

/** A plain name: no manifest leads out of its folder. */
const fileName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/u);

/** `manifest.json` of a snapshot: what it depends on, and what its files must be. Its key follows from its parts. */
const manifestSchema = z.strictObject({
  parts: partsSchema,
  /** ISO 8601. */
  madeAt: z.iso.datetime(),
  files: z.record(fileName, z.strictObject({ sizeBytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/u) })),
});

export type SnapshotManifest = z.infer<typeof manifestSchema>;

/** The manifest in `folder`, or in words why there is none. */
export async function readManifest(folder: string): Promise<SnapshotManifest | string> {
  const text = await readFile(join(folder, manifestFile), "utf8").catch(absent);
  if (text === undefined) {
    return `${manifestFile} is missing`;
  }
  const { data, error } = jsonText(manifestSchema).safeParse(text);
  return data ?? `${manifestFile} cannot be read: ${error.issues.map(({ path, message }) => [...path, message].join(" ")).join("; ")}`;
}

/**
 * Hashes the files in `folder` and writes its manifest. Nobody may write to them any more. Nothing is forced to the disk: what a crash
 * of the host takes away is found by hash when it is up again.
 * @throws RangeError when there are no files, or something that is no plain file with a plain name; AbortError when
 * the signal aborts, with its reason as cause.
 */
export async function sealSnapshot(folder: string, parts: SnapshotParts, signal: AbortSignal): Promise<SnapshotManifest> {
  const names = await namesToSeal(folder);
  // Files written a moment ago could not be remembered as checked.
  await setTimeout(atRestMs, undefined, { signal });
  const files: SnapshotManifest["files"] = {};
  const checks = new Map<string, Check>();
  for (const { name, sizeBytes, sha256, check } of await hashFiles(names.map((name) => join(folder, name)), signal)) {
    files[name] = { sizeBytes, sha256 };
    if (isRemembered(sizeBytes) && check !== undefined) {
      checks.set(name, check);
    }
  }
  const manifest: SnapshotManifest = { parts, madeAt: new Date().toISOString(), files };
  await writeFile(join(folder, manifestFile), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await noteChecks(folder, checks);
  return manifest;
}

async function namesToSeal(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const unfit = entries.find((entry) => !entry.isFile() || !fileName.safeParse(entry.name).success || [manifestFile, checksFile].includes(entry.name));
  if (entries.length === 0 || unfit !== undefined) {
    throw new RangeError(`a snapshot is made of files with plain names, not of ${unfit === undefined ? "nothing" : JSON.stringify(unfit.name)}`);
  }
  return entries.map(({ name }) => name).sort();
}
