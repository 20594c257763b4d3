import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type Result } from "execa";
import { exitCode, Failure } from "../failure/failure.ts";
import { inPrivateMounts } from "../host/privateMounts.ts";
import type { Step } from "../progress/progress.ts";
import { buildFailure, stageOf } from "./buildOutput.ts";
import { kernelRelease } from "./kernelRelease.ts";
import { imageFiles, measureFile, sealImage, type Manifest } from "./manifest.ts";
import { recipes, type Recipe } from "./recipe.ts";

const script = fileURLToPath(new URL("build.sh", import.meta.url));
const unfinished = ".unfinished-";
/** Debian's keys where its package puts them: Ubuntu's apt does not trust them by itself. */
const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg";

export interface BuildOptions {
  readonly recipe: Recipe;
  readonly cache: string;
  /** Folder that holds one folder an image. The caller holds its lock. */
  readonly images: string;
  readonly step: Step;
  readonly signal: AbortSignal;
  /** Debian mirror; mmdebstrap's own default when it is not given. */
  readonly mirror?: string | undefined;
}

/**
 * Builds the image of `recipe` into `images/<id>`. The folder appears there whole, or not at all.
 * @throws Failure (usage), with the last lines of the output, when the build fails; the signal's reason when it aborts.
 */
export async function buildImage({ recipe, cache, images, step, signal, mirror }: BuildOptions): Promise<void> {
  // An empty folder of the host's that stays: the build's tmpfs is mounted on it where only the build sees it.
  const scratch = join(cache, "build");
  await mkdir(scratch, { recursive: true, mode: 0o755 });
  // Made by the script when there is something to put into it: a build that is killed before leaves nothing to remove.
  const folder = join(images, `${unfinished}${randomUUID()}`);
  try {
    await runBuild([scratch, folder, recipe.folder, ...mmdebstrapArguments(recipe, scratch, await hasDebianKeys(), mirror)], { cache, step, signal });
    await requireSameRecipe(recipe);
    await sealImage(folder, await manifestOf(folder, recipe));
    await rename(folder, join(images, recipe.id));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what builds left that were killed. The caller holds the lock of `images`, so none of them is alive. */
export async function removeUnfinished(images: string): Promise<void> {
  const leftovers = (await readdir(images)).filter((name) => name.startsWith(unfinished));
  await Promise.all(leftovers.map((name) => rm(join(images, name), { recursive: true, force: true })));
}

/** mmdebstrap's arguments for a recipe. */
export function mmdebstrapArguments(recipe: Pick<Recipe, "packages" | "dpkgOptions">, scratch: string, withDebianKeys: boolean, mirror?: string): string[] {
  return [
    "--mode=root",
    "--variant=apt",
    "--components=main",
    `--include=${recipe.packages.join(",")}`,
    '--aptopt=APT::Install-Recommends "false"',
    ...recipe.dpkgOptions.map((option) => `--dpkgopt=${option}`),
    ...(withDebianKeys ? [`--keyring=${debianKeys}`] : []),
    "bookworm",
    join(scratch, "root.tar"),
    ...(mirror === undefined || mirror === "" ? [] : [mirror]),
  ];
}

async function runBuild(args: readonly string[], { cache, step, signal }: { cache: string; step: Step; signal: AbortSignal }): Promise<void> {
  const [program, ...rest] = inPrivateMounts(["sh", script, ...args]);
  const build = execa(program, rest, {
    all: true,
    stdin: "ignore",
    reject: false,
    cancelSignal: signal,
    killSignal: "SIGKILL",
    // apt and dpkg are read by patterns; an ordinary user's PATH lacks what dpkg's scripts need.
    env: { LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive", PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  const lines: string[] = [];
  for await (const line of build.iterable({ from: "all" })) {
    lines.push(line);
    const stage = stageOf(line);
    if (stage !== undefined) {
      step.update(stage);
    }
  }
  const result = await build;
  signal.throwIfAborted();
  if (result.failed) {
    throw buildFailure({ lines, end: endOf(result), cache });
  }
}

function endOf({ exitCode: code, signal, originalMessage }: Pick<Result, "exitCode" | "signal" | "originalMessage">): string {
  if (code !== undefined) {
    return `exit code ${code}`;
  }
  return signal === undefined ? (originalMessage ?? "it could not be started") : `ended by ${signal}`;
}

/** A recipe that is edited while it is built makes an image that no hash describes. */
async function requireSameRecipe(recipe: Recipe): Promise<void> {
  if ((await recipes[recipe.variant]()).id !== recipe.id) {
    throw new Failure({
      tried: "build the guest image",
      seen: `the recipe in ${recipe.folder} changed meanwhile`,
      remedy: "Run the command again.",
      exit: exitCode.usage,
    });
  }
}

async function manifestOf(folder: string, { id, folder: recipeFolder, sizeLimitBytes }: Recipe): Promise<Manifest> {
  const [kernel, initrd, root] = await Promise.all(imageFiles.map((name) => measureFile(join(folder, name))));
  if (kernel === undefined || initrd === undefined || root === undefined) {
    throw new RangeError(`an image has the files ${imageFiles.join(", ")}`);
  }
  const total = kernel.sizeBytes + initrd.sizeBytes + root.sizeBytes;
  if (total > sizeLimitBytes) {
    throw new Failure({
      tried: "build the guest image",
      seen: `it has ${(total / 1e6).toFixed(1)} MB, more than ${sizeLimitBytes / 1e6} MB`,
      remedy: `Take packages out of ${join(recipeFolder, "packages")}, or let customize.sh remove more.`,
      exit: exitCode.usage,
    });
  }
  return {
    id,
    kernelRelease: kernelRelease(await readFile(join(folder, "kernel"))),
    builtAt: new Date().toISOString(),
    files: { kernel, initrd, "root.squashfs": root },
  };
}

async function hasDebianKeys(): Promise<boolean> {
  return stat(debianKeys).then(
    () => true,
    () => false,
  );
}
