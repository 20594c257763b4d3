import { existsSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const repositoryFolder = fileURLToPath(new URL("../..", import.meta.url));

/** Whether this is a package that npm installed for another repository: it has no tests of its own, and no runs. */
export const isInstalled = !existsSync(join(repositoryFolder, "package-lock.json"));

/** Where the user is: npm changes to the repository's folder, and tells where it was called. */
export function callersFolder(): string {
  return process.env["INIT_CWD"] ?? process.cwd();
}

/**
 * An absolute path as somebody elsewhere can use it: relative to the repository, or else to the folder where the user is, when it lies within one of
 * them. What lies elsewhere stays absolute: nobody else has it anyway.
 */
export function portablePath(path: string, bases: readonly string[] = [repositoryFolder, callersFolder()]): string {
  const inside = bases.map((base) => relative(base, path)).find((candidate) => !isAbsolute(candidate) && candidate !== ".." && !candidate.startsWith(`..${sep}`));
  return inside === undefined ? path : inside === "" ? "." : inside;
}
