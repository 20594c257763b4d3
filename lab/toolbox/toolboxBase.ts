import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { exitCode, Failure } from "../failure/failure.ts";
import { cacheFolder } from "../host/cacheFolder.ts";
import { inPrivateMounts } from "../host/privateMounts.ts";
import { withLock } from "../host/lock.ts";
import type { Progress } from "../progress/progress.ts";
import { toolboxPackages } from "./toolboxPackages.ts";

/** What this host's Node is linked with, beside the C library. */
const nodePackages = ["libstdc++6"] as const;

/** Commands of mmdebstrap's, for a shell that has the new root as its first argument: paths come to them by the environment, whatever they are called. */
const nodeHooks = [
  'cp --dereference "$FWLAB_NODE" "$1/usr/bin/node"',
  '[ -z "$FWLAB_NPM" ] || { mkdir -p "$1/usr/lib/node_modules" && cp -R "$FWLAB_NPM" "$1/usr/lib/node_modules/npm" && for name in npm npx; do ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$1/usr/bin/$name" || exit 1; done; }',
] as const;

/** npm as Node's own releases bring it: a folder that needs nothing but Node. Undefined where Node has none beside it, as in Debian's packages. */
function npmOfHost(): { readonly folder: string; readonly version: string } | undefined {
  const folder = join(dirname(process.execPath), "..", "lib", "node_modules", "npm");
  if (!existsSync(join(folder, "bin", "npm-cli.js"))) return undefined;
  const { version } = createRequire(import.meta.url)(join(folder, "package.json")) as { version: string };
  return { folder, version };
}

/** Where the base of today's toolbox is kept: an archive for `docker import`. */
export function toolboxBaseFile(): string {
  const hash = createHash("sha256").update(`${process.version}\n${nodeHooks.join("\n")}\nnpm ${npmOfHost()?.version ?? "none"}\n${toolboxPackages("tests").join(" ")}\n`);
  return join(cacheFolder(), "toolbox", `${hash.digest("hex").slice(0, 16)}.tar`);
}

/**
 * Makes a base for the toolbox without a registry: Debian 12 with the packages of a toolbox for tests, by mmdebstrap, and this host's Node, with its npm, which tests call. It is kept in the cache, and earlier ones are removed. Root alone can
 * make it; it takes a minute and Debian's mirror (`FWLAB_MIRROR` names one). Gives the archive's path.
 * @throws Failure (usage) when it cannot be made; the signal's reason.
 */
export async function ensureToolboxBase({ progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal }): Promise<string> {
  const file = toolboxBaseFile();
  const folder = join(file, "..");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return await withLock(join(cacheFolder(), "toolbox.lock"), { signal, onWait: () => progress.note("another fwlab makes the toolbox's base; waiting for it") }, async () => {
    if (existsSync(file)) return file;
    using step = progress.step("make the toolbox's base from Debian 12 packages");
    for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
    const unfinished = join(folder, "unfinished.tar");
    const mirror = process.env["FWLAB_MIRROR"];
    const packages = [...toolboxPackages("tests"), ...nodePackages].join(",");
    const [program, ...rest] = inPrivateMounts([
      "mmdebstrap",
      ...["--mode=root", "--variant=minbase", '--aptopt=APT::Install-Recommends "false"', `--include=${packages}`, ...nodeHooks.map((hook) => `--customize-hook=${hook}`)],
      ...["bookworm", unfinished, ...(mirror === undefined || mirror === "" ? [] : [mirror])],
    ]);
    const { failed, stderr } = await execa(program, rest, { stdin: "ignore", reject: false, cancelSignal: signal, killSignal: "SIGKILL", env: { LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive", FWLAB_NODE: process.execPath, FWLAB_NPM: npmOfHost()?.folder ?? "" } });
    signal.throwIfAborted();
    if (failed) throw new Failure({ tried: "make the toolbox's base by mmdebstrap", seen: stderr.trim().split("\n").slice(-3).join("; "), remedy: "It needs Debian's mirror; FWLAB_MIRROR names another one", exit: exitCode.usage });
    await rename(unfinished, file);
    step.done(file);
    return file;
  });
}
