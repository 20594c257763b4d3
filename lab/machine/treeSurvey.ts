import { constants } from "node:fs";
import { access, lstat, opendir, readFile, readlink } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { commonFolder, maximumFileBytes } from "./configTree.ts";

/** Guests have 256 MiB of memory, and their root with it: more than this is no configuration. */
export interface TreeBounds {
  readonly entries: number;
  readonly bytes: number;
}

export const treeBounds: TreeBounds = { entries: 10_000, bytes: 64 * 1024 * 1024 };

/** Files that a daemon of the guests reads as text: configuration by its name, and what lies in the folders of systemd, sysctl and the like. */
const dueAsText = /(?:\.(?:conf|nft|rules|v4|v6|service|socket|timer|target|path|mount|slice|network|netdev|link|ipset|list|fwb)|\/(?:modules|sysctl\.conf|hosts|hostname|fstab))$/u;

/** A tree has many thousand names at most, and each costs a system call or two: what is wrong is told by the first. */
interface Survey {
  readonly tree: string;
  readonly bounds: TreeBounds;
  entries: number;
  bytes: number;
}

/**
 * Looks through a config tree that somebody brought, before anything of it is read whole, and refuses what cannot be laid on a guest or would
 * harm the lab: links that lead out of the guest's root or stand for a machine's folder, devices, pipes and sockets, names with control
 * characters, files that may not be read, too much of all, binaries where a daemon reads text. Never follows a link.
 * @throws Failure (usage), one clear line that names the file.
 */
export async function surveyTree(tree: string, machineNames: readonly string[], bounds: TreeBounds = treeBounds): Promise<void> {
  const survey: Survey = { tree: resolve(tree), bounds, entries: 0, bytes: 0 };
  try {
    for (const part of [commonFolder, ...machineNames]) {
      const folder = join(survey.tree, part);
      const stat = await lstat(folder).catch(unlessAbsent);
      if (stat === undefined) continue;
      if (stat.isSymbolicLink()) throw refused(folder, `it is a symbolic link, to ${JSON.stringify(await readlink(folder))}`, "A machine's folder is a folder of the tree itself; what both firewalls get belongs in common/");
      if (!stat.isDirectory()) throw refused(folder, "it is no folder", "A machine's folder holds its files as they are to lie on the guest's root");
      await surveyFolder(survey, folder, "");
    }
  } catch (error) {
    throw error instanceof Failure ? error : refused(tree, messageOf(error), "See that its files and folders can be read, and try again", error);
  }
}

async function surveyFolder(survey: Survey, folder: string, inGuest: string): Promise<void> {
  await readable(folder, constants.R_OK | constants.X_OK);
  for await (const { name } of await opendir(folder)) {
    const path = join(folder, name);
    const guestPath = `${inGuest}/${name}`;
    survey.entries += 1;
    if (survey.entries > survey.bounds.entries) throw refused(survey.tree, `it holds more than ${survey.bounds.entries} files and folders`, "Give the configuration alone, not a whole root");
    if (/\p{Cc}/u.test(name)) throw refused(path, "its name has a control character", "Rename it: no daemon is configured by such a file");
    if (name.includes("\uFFFD")) throw refused(path, "its name is not UTF-8", "Rename it");
    const stat = await lstat(path);
    if (stat.isSymbolicLink()) refuseLeading(survey.tree, path, guestPath, await readlink(path));
    else if (stat.isDirectory()) await surveyFolder(survey, path, guestPath);
    else if (stat.isFile()) await surveyFile(survey, path, stat.size);
    else throw refused(path, `it is a ${kindOf(stat)}`, "A config tree holds files, folders and symbolic links alone");
  }
}

async function surveyFile(survey: Survey, path: string, size: number): Promise<void> {
  if (size > maximumFileBytes) throw refused(path, `it has ${size} bytes, more than the ${maximumFileBytes} allowed`, "Leave it out: no configuration is that large");
  survey.bytes += size;
  if (survey.bytes > survey.bounds.bytes) throw refused(survey.tree, `its files have more than ${survey.bounds.bytes} bytes together`, "Give the configuration alone: the guests hold it in memory");
  await readable(path, constants.R_OK);
  if (!dueAsText.test(path)) return;
  const zero = (await readFile(path)).indexOf(0);
  if (zero >= 0) throw refused(path, `it is binary, with a NUL at byte ${zero}, where text is due`, "Write it as plain text (UTF-16 is none), or give it another name if no daemon reads it");
}

async function readable(path: string, mode: number): Promise<void> {
  await access(path, mode).catch((error: unknown) => {
    throw refused(path, `it may not be read by this user (${messageOf(error)})`, "Give the user who runs fwlab the right to read it", error);
  });
}

/**
 * A link is laid on the guest as a link, and followed there alone: /dev/null and ../x.service are what administrators write. One that climbs above the
 * guest's root, or names the tree by its place on this host, was made for another place, and would lead nowhere or astray.
 */
function refuseLeading(tree: string, path: string, guestPath: string, target: string): void {
  const remedy = "On the guest only the guest's own files are there; what both firewalls get belongs in common/";
  if (/\p{Cc}/u.test(target)) throw refused(path, "its target has a control character", "Link it to a plain path");
  let depth = isAbsolute(target) ? 0 : guestPath.split("/").length - 2;
  for (const step of target.split("/")) {
    if (step === "" || step === ".") continue;
    depth += step === ".." ? -1 : 1;
    if (depth < 0) throw refused(path, `it is a symbolic link to ${target}, which leads out of the tree: above the guest's root`, remedy);
  }
  if (isAbsolute(target) && !relative(tree, target).startsWith("..")) throw refused(path, `it is a symbolic link to ${target}, a path of this host that no guest has`, remedy);
}

function kindOf(stat: Awaited<ReturnType<typeof lstat>>): string {
  return stat.isFIFO() ? "pipe" : stat.isSocket() ? "socket" : stat.isCharacterDevice() || stat.isBlockDevice() ? "device" : "thing that is no file";
}

function refused(path: string, seen: string, remedy: string, cause?: unknown): Failure {
  // A name may hold anything, a line break too; the message is one line.
  const named = /\p{Cc}/u.test(path) ? JSON.stringify(path) : path;
  return new Failure({ tried: `read the config tree at ${named}`, seen, remedy, exit: exitCode.usage, cause });
}

function unlessAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}
