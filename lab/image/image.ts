import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../host/cacheFolder.ts";
import type { Progress } from "../progress/progress.ts";
import { buildImage, removeUnfinished } from "./build.ts";
import { withLock } from "../host/lock.ts";
import { imageFiles, inspectImage, type ImageState, type Manifest } from "./manifest.ts";
import { recipes, type ImageVariant, type Recipe } from "./recipe.ts";

/** A guest image whose every byte was compared with its manifest. Paths are absolute. */
export interface GuestImage {
  /** Hash of its recipe. */
  readonly id: string;
  readonly kernel: string;
  readonly initrd: string;
  /** Squashfs of the root. */
  readonly root: string;
  /** As `uname -r` says it in the guest. */
  readonly kernelRelease: string;
  /** Of kernel, initrd and root together. */
  readonly sizeBytes: number;
}

export interface EnsureImageOptions {
  /** The lean one unless given. */
  readonly variant?: ImageVariant;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What an image is called for people. */
const titles: Readonly<Record<ImageVariant, string>> = { lean: "guest image", desktop: "guest image with a desktop" };

/**
 * The guest image of the recipe in fixtures/image, or its variant with a desktop: from the cache when it is there and unharmed, else built, which takes the network and
 * about 45 s, or three times as long. Of two commands at once, one builds and the other waits for it. `FWLAB_MIRROR` names a Debian mirror.
 * @throws Failure (usage) when it cannot be built; the signal's reason when it aborts.
 */
export async function ensureImage({ variant = "lean", progress, signal }: EnsureImageOptions): Promise<GuestImage> {
  const cache = cacheFolder();
  const images = imagesFolder(cache);
  await mkdir(images, { recursive: true, mode: 0o700 });
  const recipe = await recipes[variant]();
  const folder = join(images, recipe.id);

  const found = await inspectImage(folder, recipe.id, signal);
  if (found.state === "whole") {
    return guestImage(folder, found.manifest);
  }
  if (found.state === "damaged") {
    progress.note(`${titles[variant]} ${recipe.id} in the cache is damaged (${found.why}); building it again`);
  }
  using waiting = progress.step("another fwlab to finish the guest image");
  let hadToWait = false;
  const onWait = () => {
    hadToWait = true;
    progress.note("another fwlab builds the guest image; waiting for it");
  };
  return await withLock(join(cache, "images.lock"), { signal, onWait }, async () => {
    waiting.done(hadToWait ? "free" : "nobody else builds");
    const now = await inspectImage(folder, recipe.id, signal);
    return guestImage(folder, now.state === "whole" ? now.manifest : await rebuild({ recipe, cache, images, folder, now, progress, signal }));
  });
}

/** Folder of the guest images, one folder each. */
export function imagesFolder(cache: string): string {
  return join(cache, "images");
}

interface Rebuild extends EnsureImageOptions {
  readonly recipe: Recipe;
  readonly cache: string;
  readonly images: string;
  readonly folder: string;
  readonly now: ImageState;
}

async function rebuild({ recipe, cache, images, folder, now, progress, signal }: Rebuild): Promise<Manifest> {
  using step = progress.step(`build the ${titles[recipe.variant]} from Debian 12 packages`);
  await removeUnfinished(images);
  if (now.state === "damaged") {
    await rm(folder, { recursive: true, force: true });
  }
  await buildImage({ recipe, cache, images, step, signal, mirror: process.env["FWLAB_MIRROR"] });
  const built = await inspectImage(folder, recipe.id, signal);
  if (built.state !== "whole") {
    throw new Error(`the guest image ${recipe.id} was built and stored, but reading it back says: ${built.state === "damaged" ? built.why : "missing"}`);
  }
  step.done(`${recipe.id}, ${(sizeOf(built.manifest) / 1e6).toFixed(0)} MB`);
  return built.manifest;
}

function sizeOf(manifest: Manifest): number {
  return imageFiles.reduce((sum, name) => sum + manifest.files[name].sizeBytes, 0);
}

function guestImage(folder: string, manifest: Manifest): GuestImage {
  return {
    id: manifest.id,
    kernel: join(folder, "kernel"),
    initrd: join(folder, "initrd"),
    root: join(folder, "root.squashfs"),
    kernelRelease: manifest.kernelRelease,
    sizeBytes: sizeOf(manifest),
  };
}
