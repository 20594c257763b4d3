import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { exitCode } from "../lab/failure/failure.ts";
import { cacheFolder } from "../lab/host/cacheFolder.ts";
import { imagesFolder } from "../lab/image/image.ts";
import { inspectImage } from "../lab/image/manifest.ts";
import { readRecipe } from "../lab/image/recipe.ts";

/** `fwlab cache`: what is kept between runs, and its removal. */
export function cacheCommand(): Command {
  return new Command("cache")
    .description("list the guest images that are kept; --clear removes all but the one of today's recipe")
    .option("--clear", "remove the images of other recipes (no lab may run with them)", false)
    .allowExcessArguments(false)
    .action(async ({ clear }: { clear: boolean }) => {
      await listImages(clear);
      process.exitCode = exitCode.pass;
    });
}

async function listImages(clear: boolean): Promise<void> {
  const cache = cacheFolder();
  const images = imagesFolder(cache);
  const { id: current } = await readRecipe();
  console.log(`cache: ${cache}`);
  const ids = await readdir(images).catch((thrown: unknown): string[] => {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") {
      return [];
    }
    throw thrown;
  });
  for (const id of ids.filter((name) => !name.startsWith("."))) {
    const folder = join(images, id);
    const image = await inspectImage(folder, id);
    const state = image.state === "whole" ? `kernel ${image.manifest.kernelRelease}, built ${image.manifest.builtAt}` : image.state;
    const remove = clear && id !== current;
    if (remove) {
      await rm(folder, { recursive: true, force: true });
    }
    console.log(`image ${id}: ${state}${id === current ? ", today's recipe" : ""}${remove ? ", removed" : ""}`);
  }
}
