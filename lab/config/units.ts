import { posix } from "node:path";
import { globExpression } from "./glob.ts";
import { resolvePath, type NodeFile, type NodeFiles, type NodeLink, type Place, type Said } from "./nodeFiles.ts";

/** One `Key=value` of an INI-like file, as systemd and networkd read it. */
export interface Setting extends Said<string> {
  readonly section: string;
  readonly key: string;
  readonly line: number;
}

/** What the trees say of one systemd unit. What the guest's own unit file says is not known here. */
export interface Unit {
  /** With its suffix: `conntrackd.service`. */
  readonly name: string;
  /** A link to /dev/null, or an empty file, in the place of the unit. */
  readonly masked: Place | undefined;
  /** The links in *.wants and *.requires that start it. */
  readonly wantedBy: readonly Said<string>[];
  /** The tree's own unit file, if it has one; then its drop-ins, in the order in which systemd reads them. */
  readonly files: readonly NodeFile[];
  readonly settings: readonly Setting[];
}

/** Where systemd looks for units that an administrator writes, highest first. */
const unitFolders = ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

const unitName = /^[^/]+\.(?:service|socket|target|path|timer|mount)$/u;

/** Reads an INI-like file of systemd: sections, settings, comments with `#` or `;`, a backslash that joins lines (systemd.syntax(7)). */
export function readSettings({ file, lines }: Pick<NodeFile, "file" | "lines">): Setting[] {
  const settings: Setting[] = [];
  let section = "";
  let open: { text: string; line: number } | undefined;
  for (const [index, raw] of lines.entries()) {
    if (/^\s*[#;]/u.test(raw)) continue;
    const text = (open?.text ?? "") + raw;
    const line = open?.line ?? index + 1;
    open = text.endsWith("\\") ? { text: `${text.slice(0, -1)} `, line } : undefined;
    if (open !== undefined) continue;
    const header = /^\s*\[([^\]]+)\]\s*$/u.exec(text)?.[1];
    if (header !== undefined) {
      section = header;
      // Repeated sections ([Address], [Route]) are told apart by where they begin.
      settings.push({ section, key: "", value: "", file, line });
      continue;
    }
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/u.exec(text) ?? [];
    if (key !== undefined && value !== undefined) settings.push({ section, key, value, file, line });
  }
  return settings;
}

/** The units that the trees speak of, by name. */
export function readUnits(node: NodeFiles): ReadonlyMap<string, Unit> {
  const names = new Set<string>();
  const entries: readonly (NodeFile | NodeLink)[] = [...node.files, ...node.links];
  for (const { path } of entries) {
    const inFolder = unitFolders.map((folder) => posix.relative(folder, path)).find((relative) => !relative.startsWith(".."));
    const [first = "", second] = inFolder?.split("/") ?? [];
    const name = second === undefined ? first : first.endsWith(".d") ? first.slice(0, -2) : second;
    if (unitName.test(name)) names.add(name);
  }
  return new Map([...names].map((name) => [name, unitOf(node, name)]));
}

function unitOf(node: NodeFiles, name: string): Unit {
  const own = unitFolders.map((folder) => `${folder}/${name}`);
  const entries = own.flatMap((path) => [node.links.find((link) => link.path === path), node.files.find((file) => file.path === path)]).filter((entry) => entry !== undefined);
  const highest = entries[0];
  const masked = highest !== undefined && ("target" in highest ? resolvePath(node, highest.path) === "/dev/null" : highest.content.length === 0);
  const body = highest === undefined || masked ? undefined : "target" in highest ? node.files.find(({ path }) => path === resolvePath(node, highest.path)) : highest;
  const dropIns = unitFolders.map((folder) => globExpression(`${folder}/${name}.d/*.conf`));
  const byName = new Map<string, NodeFile>();
  for (const expression of dropIns.toReversed()) for (const file of node.files) if (expression.test(file.path)) byName.set(posix.basename(file.path), file);
  const files = [...(body === undefined ? [] : [body]), ...[...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file)];
  const wants = globExpression(`/*/systemd/system/*.*/${name}`);
  const wantedBy = [...node.links, ...node.files]
    .filter(({ path }) => wants.test(path) && /\.(?:wants|requires)\/[^/]+$/u.test(path))
    .map(({ path, file }) => ({ value: posix.basename(posix.dirname(path)).replace(/\.(?:wants|requires)$/u, ""), file, line: null }));
  return {
    name,
    masked: highest !== undefined && masked ? { file: highest.file, line: null } : undefined,
    wantedBy,
    files,
    settings: files.flatMap((file) => (file.binary ? [] : readSettings(file))),
  };
}

/** What a list-like setting comes to: an empty value takes away all before it. */
export function valuesOf(settings: readonly Setting[], section: string, key: string): Setting[] {
  const values = settings.filter((setting) => setting.section === section && setting.key === key);
  return values.slice(values.findLastIndex(({ value }) => value === "") + 1);
}

/** Whether a boot starts the unit, by the trees alone: a link wants it, or a unit that is started does; never when it is masked. */
export function isStarted(units: ReadonlyMap<string, Unit>, name: string, asking: readonly string[] = []): boolean {
  const unit = units.get(name);
  if (unit?.masked !== undefined || asking.includes(name)) return false;
  if (unit !== undefined && unit.wantedBy.length > 0) return true;
  return [...units.values()].some(
    (other) => ["Wants", "Requires", "BindsTo", "Upholds"].some((key) => valuesOf(other.settings, "Unit", key).some(({ value }) => value.split(/\s+/u).includes(name))) && isStarted(units, other.name, [...asking, name]),
  );
}
