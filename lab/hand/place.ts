import { join } from "node:path";
import { cacheFolder } from "../host/cacheFolder.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import type { GraphicalConsole } from "../machine/graphicalConsole.ts";

/** A socket's path has 108 bytes with its end. Source: unix(7), sun_path. */
const longestPath = 107;

/** Where a standing lab is found. Paths are absolute; nobody but the user comes there. */
export interface LabPlace {
  readonly name: string;
  readonly folder: string;
  readonly socket: string;
  /** What was said while it came up, and since. */
  readonly log: string;
  /** The id of the process that keeps it. */
  readonly pid: string;
}

/** The folder of all standing labs. */
export function standingFolder(cache = cacheFolder()): string {
  return join(cache, "standing");
}

/** Whether a lab or a snapshot may be called that: it is a folder's name, too. */
export function isName(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,29}$/u.test(text);
}

/** The place of the standing lab called `name`. @throws Failure (usage) for a name that is none, or a cache folder whose path is too long. */
export function placeOf(name: string, cache = cacheFolder()): LabPlace {
  if (!isName(name)) {
    throw new Failure({ tried: `call a lab ${JSON.stringify(name)}`, seen: "that is no name for a lab", remedy: "Use small letters, digits and hyphens, 30 at most", exit: exitCode.usage });
  }
  const folder = join(standingFolder(cache), name);
  const socket = join(folder, "socket");
  return { name, folder, socket: requireShort(socket), log: join(folder, "log.txt"), pid: join(folder, "pid") };
}

/** Where a machine's graphical console is found; nobody but the user comes there. @throws Failure (usage) for a cache folder whose path is too long. */
export function graphicalConsoleAt({ folder }: Pick<LabPlace, "folder">, machine: string): GraphicalConsole {
  return { socket: requireShort(join(folder, `${machine}.spice`)), ticketFile: join(folder, `${machine}.ticket`) };
}

/** The path of a socket below the cache folder, as it is. @throws Failure (usage) when it is longer than one may be. */
export function requireShort(socket: string): string {
  if (Buffer.byteLength(socket) <= longestPath) return socket;
  throw new Failure({ tried: `name the socket ${socket}`, seen: `its path has more than the ${longestPath} bytes that a socket's may have`, remedy: "Name a shorter folder with FWLAB_CACHE=FOLDER", exit: exitCode.usage });
}
