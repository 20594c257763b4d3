import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { configHash, hashOfTrees, type MachineTrees } from "./configTree.ts";

/** Folder of a bundle that holds what each machine got from the config trees. It is a config tree itself: `--config BUNDLE/config` runs it again. */
export const keptConfigFolder = "config";

/** Lists what was not kept. It is in no machine's folder, so it is no part of the tree. */
const withheldFile = "withheld.txt";

/** RFC 7468, 10 and 11, and the older labels of OpenSSL and OpenSSH. */
const privateKey = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/u;

/**
 * Keeps what the machines got, byte for byte, with modes and symbolic links as links: `config/<machine>/…`. Its hash, by `configHash`, is that of the
 * trees it was merged from, unless a file holds a private key: those are withheld, and listed. @throws Failure when something cannot be written.
 */
export async function keepConfig(bundleFolder: string, machines: MachineTrees): Promise<void> {
  const folder = join(bundleFolder, keptConfigFolder);
  const withheld: string[] = [];
  try {
    for (const [name, entries] of machines) {
      await mkdir(join(folder, name), { recursive: true });
      for (const entry of entries) {
        const path = join(folder, name, entry.path);
        if (entry.type === "link") {
          await symlink(entry.target, path);
        } else if (entry.type === "folder") {
          await mkdir(path, { mode: entry.mode });
        } else if (privateKey.test(entry.content.toString("latin1"))) {
          withheld.push(`${name}/${entry.path}: it holds a private key`);
        } else {
          await writeFile(path, entry.content);
          // Whatever the umask takes away.
          await chmod(path, entry.mode);
        }
      }
    }
    if (withheld.length > 0) await writeFile(join(folder, withheldFile), `${withheld.join("\n")}\n`);
  } catch (error) {
    throw new Failure({ tried: `keep the config tree in ${folder}`, seen: messageOf(error), remedy: "Free space on the disk, or choose another folder for runs", exit: exitCode.invalid, cause: error });
  }
}

/** How a bundle's config stands to the hash that its run tells. */
export type KeptConfigState =
  | { readonly state: "same" }
  | { readonly state: "other"; readonly sha256: string }
  /** A file was withheld, so that the hash cannot be told again. */
  | { readonly state: "withheld"; readonly files: readonly string[] }
  /** The bundle is of an fwlab that kept none, or of a run that was killed before. */
  | { readonly state: "none" };

/** Recomputes the hash of a bundle's config. @throws Failure when it cannot be read. */
export async function inspectKeptConfig(bundleFolder: string, machineNames: readonly string[], sha256: string): Promise<KeptConfigState> {
  const folder = join(bundleFolder, keptConfigFolder);
  const now = await configHash([folder], machineNames);
  if (now === sha256) return { state: "same" };
  const files = await linesOf(join(folder, withheldFile));
  if (files !== undefined) return { state: "withheld", files };
  return now === hashOfTrees(new Map()) ? { state: "none" } : { state: "other", sha256: now };
}

async function linesOf(path: string): Promise<string[] | undefined> {
  try {
    return (await readFile(path, "utf8")).trim().split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Failure({ tried: `read ${path}`, seen: messageOf(error), remedy: "The bundle is damaged: take it from its first copy", exit: exitCode.usage, cause: error });
  }
}
