import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { messageOf } from "../failure/failure.ts";

/** The files of a guest image, as they are called in its folder. */
export const imageFiles = ["kernel", "initrd", "root.squashfs"] as const;

const fileSchema = z.object({ sizeBytes: z.number().int().positive(), sha256: z.string().regex(/^[0-9a-f]{64}$/u) });

/** `manifest.json` of a guest image: what its files must be. Times are ISO 8601. */
export const manifestSchema = z.object({
  id: z.string(),
  kernelRelease: z.string(),
  builtAt: z.string(),
  files: z.object({ kernel: fileSchema, initrd: fileSchema, "root.squashfs": fileSchema }),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** How a folder of the cache stands to the image that it should hold. */
export type ImageState = { readonly state: "whole"; readonly manifest: Manifest } | { readonly state: "missing" } | { readonly state: "damaged"; readonly why: string };

/** Size and hash of a file. */
export async function measureFile(path: string, signal?: AbortSignal): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal === undefined ? {} : { signal });
  const { size } = await stat(path);
  return { sizeBytes: size, sha256: hash.digest("hex") };
}

/** Compares every byte of the image in `folder` with its manifest. */
export async function inspectImage(folder: string, id: string, signal?: AbortSignal): Promise<ImageState> {
  if ((await stat(folder).catch(absent)) === undefined) {
    return { state: "missing" };
  }
  const manifest = await readManifest(folder);
  if (typeof manifest === "string") {
    return { state: "damaged", why: manifest };
  }
  if (manifest.id !== id) {
    return { state: "damaged", why: `manifest.json is of image ${manifest.id}` };
  }
  for (const name of imageFiles) {
    const why = await differenceOf(join(folder, name), manifest.files[name], signal);
    if (why !== undefined) {
      return { state: "damaged", why: `${name} ${why}` };
    }
  }
  return { state: "whole", manifest };
}

/** Writes the manifest, then makes the whole folder last: its files and its names. */
export async function sealImage(folder: string, manifest: Manifest): Promise<void> {
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const path of [...imageFiles.map((name) => join(folder, name)), join(folder, "manifest.json"), folder]) {
    const file = await open(path, "r");
    await file.sync().finally(() => file.close());
  }
}

async function readManifest(folder: string): Promise<Manifest | string> {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(absent);
  if (text === undefined) {
    return "manifest.json is missing";
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (thrown) {
    return `manifest.json cannot be read: ${messageOf(thrown)}`;
  }
}

async function differenceOf(path: string, expected: { sizeBytes: number; sha256: string }, signal?: AbortSignal): Promise<string | undefined> {
  const status = await stat(path).catch(absent);
  if (status === undefined) {
    return "is missing";
  }
  if (status.size !== expected.sizeBytes) {
    return `has ${status.size} bytes, not ${expected.sizeBytes}`;
  }
  const { sha256 } = await measureFile(path, signal);
  return sha256 === expected.sha256 ? undefined : `has SHA-256 ${sha256.slice(0, 12)}…, not ${expected.sha256.slice(0, 12)}…`;
}

/** For `catch`: a file that is not there is an answer, any other trouble is thrown on. */
export function absent(thrown: unknown): undefined {
  if (thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR")) {
    return undefined;
  }
  throw thrown;
}
