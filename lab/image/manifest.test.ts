import { chmod, mkdir, mkdtemp, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentProgress } from "../progress/progress.ts";
import { ensureImage } from "./image.ts";
import { inspectImage, measureFile, sealImage } from "./manifest.ts";
import { readRecipe } from "./recipe.ts";

let cache: string;
let folder: string;
let id: string;
let cacheBefore: string | undefined;

beforeEach(async () => {
  cacheBefore = process.env["FWLAB_CACHE"];
  cache = await mkdtemp(join(tmpdir(), "fwlab-image-"));
  process.env["FWLAB_CACHE"] = cache;
  ({ id } = await readRecipe());
  folder = join(cache, "images", id);
  await mkdir(folder, { recursive: true });
  await Promise.all(["kernel", "initrd", "root.squashfs"].map((name) => writeFile(join(folder, name), `bytes of ${name}`)));
  const [kernel, initrd, root] = await Promise.all(["kernel", "initrd", "root.squashfs"].map((name) => measureFile(join(folder, name))));
  if (kernel === undefined || initrd === undefined || root === undefined) {
    throw new RangeError("three files were written");
  }
  await sealImage(folder, { id, kernelRelease: "6.1.0-40-cloud-amd64", builtAt: "2026-11-20T16:00:00.000Z", files: { kernel, initrd, "root.squashfs": root } });
});
afterEach(async () => {
  if (cacheBefore === undefined) {
    delete process.env["FWLAB_CACHE"];
  } else {
    process.env["FWLAB_CACHE"] = cacheBefore;
  }
  await rm(cache, { recursive: true });
});

test("an unharmed image is used as it is", async () => {
  expect(await ensureImage({ progress: silentProgress, signal: new AbortController().signal })).toEqual({
    id,
    kernel: join(folder, "kernel"),
    initrd: join(folder, "initrd"),
    root: join(folder, "root.squashfs"),
    kernelRelease: "6.1.0-40-cloud-amd64",
    sizeBytes: 52,
  });
});

test("no folder is no image", async () => {
  expect(await inspectImage(join(cache, "images", "none"), "none")).toEqual({ state: "missing" });
});

test.each<readonly [string, RegExp, () => Promise<unknown>]>([
  ["changed in one byte", /^kernel has SHA-256/u, () => writeFile(join(folder, "kernel"), "Bytes of kernel")],
  ["cut off", /^root\.squashfs has 5 bytes, not 22$/u, () => truncate(join(folder, "root.squashfs"), 5)],
  ["without a file", /^initrd is missing$/u, () => unlink(join(folder, "initrd"))],
  ["without a manifest", /^manifest\.json is missing$/u, () => unlink(join(folder, "manifest.json"))],
  ["with half a manifest", /^manifest\.json cannot be read/u, () => writeFile(join(folder, "manifest.json"), '{"id":')],
  ["with another manifest", /^manifest\.json cannot be read/u, () => writeFile(join(folder, "manifest.json"), "{}")],
])("an image %s is damaged", async (_, why, harm) => {
  await harm();
  const state = await inspectImage(folder, id);
  expect(state).toMatchObject({ state: "damaged" });
  expect("why" in state ? state.why : "").toMatch(why);
});

test("an image under another's name is damaged", async () => {
  expect(await inspectImage(folder, "0123")).toEqual({ state: "damaged", why: `manifest.json is of image ${id}` });
});

test.skipIf(process.getuid?.() === 0)("what cannot be looked at is an error, not an absence (root may look at everything)", async () => {
  await chmod(folder, 0);
  await expect(inspectImage(folder, id)).rejects.toThrow(/EACCES/u);
  await chmod(folder, 0o700);
});
