/**
 * npm leaves symbolic links out of a package, and config trees are full of them: systemd's units are enabled by links. Writes a list of them into fixtures/links.json before the package is made; the
 * package's first command makes them again. Removed afterwards: a checkout has its links.
 * usage: packLinks.mjs write|remove
 */
import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "..", "fixtures");
const list = join(fixtures, "links.json");

if (process.argv[2] === "write") {
  const links = readdirSync(fixtures, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [relative(fixtures, path), readlinkSync(path)]);
  writeFileSync(list, `${JSON.stringify(Object.fromEntries(links), undefined, 1)}\n`);
} else if (process.argv[2] === "remove") {
  rmSync(list, { force: true });
} else {
  process.stderr.write("usage: packLinks.mjs write|remove\n");
  process.exitCode = 2;
}
