import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/**
 * The folder that outlives runs: guest images, keys, what was learned about this host. `$FWLAB_CACHE`, else `fwlab` in
 * `$XDG_CACHE_HOME`, else in `~/.cache` (XDG Base Directory Specification: a relative `$XDG_CACHE_HOME` is ignored).
 * Made, readable by the user alone, when it is missing.
 * @throws Failure (usage) when it cannot be made.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const folder = cachePath(environment);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Failure({
      tried: `make the cache folder ${folder}`,
      seen: messageOf(cause),
      remedy: "Name a folder that can be written with FWLAB_CACHE=FOLDER.",
      exit: exitCode.usage,
      cause,
    });
  }
  return folder;
}

function cachePath({ FWLAB_CACHE: own, XDG_CACHE_HOME: xdg }: NodeJS.ProcessEnv): string {
  if (own !== undefined && own !== "") {
    return resolve(own);
  }
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "fwlab");
}
