import { posix } from "node:path";
import { exitCode, Failure } from "../failure/failure.ts";
import { sourcedTree } from "../machine/configTree.ts";

/** A place in a config tree, as its author knows it. */
export interface Place {
  /** Path in the tree: `fw-1/etc/keepalived/keepalived.conf`. */
  readonly file: string;
  /** Counted from 1; null for a whole file. */
  readonly line: number | null;
}

/** A value, and the line that says it. */
export interface Said<T> extends Place {
  readonly value: T;
}

/** A regular file that a machine gets. */
export interface NodeFile {
  /** Absolute path in the guest. */
  readonly path: string;
  /** Path in the tree. */
  readonly file: string;
  /** The config tree that it is from, as it was named. */
  readonly tree: string;
  readonly mode: number;
  readonly content: Buffer;
  /** Its lines without their ends, the last one only if it is not empty; none where it is no text. */
  readonly lines: readonly string[];
  /** It holds a NUL byte. */
  readonly binary: boolean;
}

/** A symbolic link that a machine gets. */
export interface NodeLink {
  /** Absolute path in the guest. */
  readonly path: string;
  readonly file: string;
  readonly tree: string;
  /** What the link says, unresolved. */
  readonly target: string;
}

/** What a machine gets from the config trees: of its own root's files, only what they replace. */
export interface NodeFiles {
  readonly machine: string;
  /** In the order of their paths. */
  readonly files: readonly NodeFile[];
  readonly links: readonly NodeLink[];
}

/** Deeper chains are loops (Linux itself follows 40). */
const maximumLinks = 40;

/** Lines of a text, without their ends. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/u);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** A regular file for these bytes. `path` is absolute in the guest. */
export function nodeFile(path: string, { file, tree, mode = 0o644, content }: { file: string; tree: string; mode?: number; content: Buffer | string }): NodeFile {
  const bytes = Buffer.from(content);
  const binary = bytes.includes(0);
  return { path, file, tree, mode, content: bytes, binary, lines: binary ? [] : linesOf(bytes.toString("utf8")) };
}

/** Reads what a machine gets from these trees, lowest first. @throws Failure as machineTree. */
export async function readNodeFiles(trees: readonly string[], machine: string): Promise<NodeFiles> {
  const files: NodeFile[] = [];
  const links: NodeLink[] = [];
  for (const entry of await sourcedTree(trees, machine)) {
    const path = `/${entry.path}`;
    if (entry.type === "file") files.push(nodeFile(path, entry));
    if (entry.type === "link") links.push({ path, file: entry.file, tree: entry.tree, target: entry.target });
  }
  return { machine, files, links };
}

/** Where a path of the guest leads, by the links that the trees hold. The guest's own links are not known, but that of the merged /usr and of /var/run are. */
export function resolvePath({ links }: NodeFiles, path: string): string {
  let at = posix.normalize(path);
  for (let followed = 0; followed < maximumLinks; followed += 1) {
    const link = links.find((candidate) => at === candidate.path || at.startsWith(`${candidate.path}/`));
    if (link === undefined) break;
    at = posix.resolve(posix.dirname(link.path), link.target) + at.slice(link.path.length);
  }
  return at.replace(/^\/(?=(?:s?bin|lib)\/)/u, "/usr/").replace(/^\/var\/(?=(?:run|lock)(?:\/|$))/u, "/").replace(/^\/lock(?=\/|$)/u, "/run/lock");
}

/** The file that the trees put at a path of the guest, links followed. */
export function fileAt(node: NodeFiles, path: string): NodeFile | undefined {
  const wanted = resolvePath(node, path);
  return node.files.find((candidate) => resolvePath(node, candidate.path) === wanted);
}

/** As fileAt, for a file that must be text. @throws Failure (usage) when it is not. */
export function textAt(node: NodeFiles, path: string): NodeFile | undefined {
  const found = fileAt(node, path);
  if (found?.binary === true) {
    throw new Failure({
      tried: `read ${found.file} of the config tree ${found.tree}`,
      seen: "it holds NUL bytes, so it is no text",
      remedy: `${path} is a text file of ${node.machine}'s configuration: put it there as text`,
      exit: exitCode.usage,
    });
  }
  return found;
}

/** Whether the guest runs it: the owner's execute bit, the only one that a tree keeps. */
export function isExecutable(file: NodeFile): boolean {
  return (file.mode & 0o100) !== 0;
}
