import { posix } from "node:path";
import { globExpression } from "./glob.ts";
import type { NodeFile, NodeFiles, Said } from "./nodeFiles.ts";

/** What systemd-sysctl sets from the trees, by name with dots. */
export type Sysctls = ReadonlyMap<string, Said<string> & { readonly line: number }>;

/** Highest first: a file hides those of the same name below it. */
const folders = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/** Reads sysctl.d (sysctl.d(5)): the files of all folders in the order of their names, of which the last to name a key wins. Debian reads /etc/sysctl.conf as 99-sysctl.conf. */
export function readSysctls({ files }: NodeFiles): Sysctls {
  const byName = new Map<string, NodeFile>();
  for (const folder of folders.toReversed()) for (const file of files) if (globExpression(`${folder}/*.conf`).test(file.path)) byName.set(posix.basename(file.path), file);
  const main = files.find(({ path }) => path === "/etc/sysctl.conf");
  if (main !== undefined && !byName.has("99-sysctl.conf")) byName.set("99-sysctl.conf", main);
  const sysctls = new Map<string, Said<string> & { line: number }>();
  for (const [, { file, lines }] of [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [index, text] of lines.entries()) {
      const [, name, value] = /^\s*-?([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/u.exec(text) ?? [];
      if (name === undefined || value === undefined) continue;
      const key = dotted(name);
      // The last to say it is the one that counts, also in this map's order.
      sysctls.delete(key);
      sysctls.set(key, { value, file, line: index + 1 });
    }
  }
  return sysctls;
}

/** Where a slash comes first, slashes part the name, and dots are an interface's own. */
function dotted(name: string): string {
  const slash = name.indexOf("/");
  const dot = name.indexOf(".");
  return slash !== -1 && (dot === -1 || slash < dot) ? name.replace(/[./]/gu, (part) => (part === "/" ? "." : "/")) : name;
}

/** What the trees set a sysctl to; a name with a wildcard counts where none names it in full. */
export function sysctl(sysctls: Sysctls, name: string): (Said<string> & { readonly line: number }) | undefined {
  const exact = sysctls.get(name);
  if (exact !== undefined) return exact;
  const path = name.replaceAll(".", "/");
  return [...sysctls].findLast(([pattern]) => /[*?[]/u.test(pattern) && globExpression(pattern.replaceAll(".", "/")).test(path))?.[1];
}
