import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { livingProcesses, ownNamespaces, type ProcessInfo } from "./processes.ts";

const markVariable = "FWLAB_LIFECYCLE_MARK";

/** What a cache is for: it stays between runs, and the folders in which labs and builds mount their temporary files stay empty. */
const keptInCache = /^(?:accelerator(?:\/[0-9a-f]{16}\.json)?|build|lab|images(?:\.lock)?|keys(?:\.lock|\/[a-z0-9-]+)?|snapshots(?:\.lock|\/[0-9a-f]{16}(?:\/[a-z0-9.-]+)?)?)$/u;
/** Caches of translated code, which tsx and node keep for every program of the user. */
const keptInTemporary = /^(?:tsx-\d+|node-compile-cache)(?:\/|$)/u;

export interface TracesOptions {
  /** The cache folder that the command uses. */
  readonly cache: string;
  /** The folder that the command is told to make temporary files in. */
  readonly temporary: string;
}

/**
 * Whatever a command leaves on this host: processes, namespaces, mounts, network links, files. From `begin` on, what appears is the
 * command's. Its processes are known by a mark in the environment, and those that shed it by the namespaces that marked ones were in.
 */
export class Traces {
  /** For the command, besides this process's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #mark = `${markVariable}=${randomUUID()}`;
  readonly #options: TracesOptions;
  readonly #own = new Set(ownNamespaces());
  readonly #seenNamespaces = new Set<string>();
  readonly #before: ReadonlySet<string>;

  private constructor(options: TracesOptions) {
    this.#options = options;
    this.environment = {
      [markVariable]: this.#mark.slice(markVariable.length + 1),
      FWLAB_CACHE: options.cache,
      TMPDIR: options.temporary,
      // Node warns on standard error when both are set, as vitest's workers may have it.
      NO_COLOR: "1",
      FORCE_COLOR: undefined,
    };
    this.#before = new Set(this.#surroundings());
  }

  /** Begins to watch. */
  static begin(options: TracesOptions): Traces {
    return new Traces(options);
  }

  /** Living processes of the command. Look often: only the namespaces that were looked at are known later. */
  look(): ProcessInfo[] {
    const marked = livingProcesses().filter(({ environment }) => environment.includes(this.#mark));
    marked.forEach((process) => this.foreignNamespaces(process).forEach((namespace) => this.#seenNamespaces.add(namespace)));
    return marked;
  }

  /** The namespaces of a process that are not this process's own. */
  foreignNamespaces({ namespaces }: ProcessInfo): string[] {
    return namespaces.filter((namespace) => !this.#own.has(namespace));
  }

  /** How many namespaces the command was seen to make. */
  get namespacesSeen(): number {
    return this.#seenNamespaces.size;
  }

  /** What the command has left so far, each in words. */
  leftovers(): string[] {
    const processes = livingProcesses().flatMap((process) => {
      const shared = process.namespaces.filter((namespace) => this.#seenNamespaces.has(namespace));
      const isMarked = process.environment.includes(this.#mark);
      return isMarked || shared.length > 0 ? [`process ${process.pid} (${process.command.join(" ").slice(0, 100)}) in ${shared.join(" ") || "our namespaces"}`] : [];
    });
    return [...processes, ...this.#surroundings().filter((thing) => !this.#before.has(thing))];
  }

  #surroundings(): string[] {
    const { cache, temporary } = this.#options;
    return [
      ...mounts(),
      ...links(),
      ...files(cache).filter((name) => !keptInCache.test(name)).map((name) => `file ${join(cache, name)}`),
      ...files(temporary).filter((name) => !keptInTemporary.test(name)).map((name) => `file ${join(temporary, name)}`),
    ];
  }
}

function mounts(): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return lines.map((line) => line.split(" ")).map(([id = "", , , , path = ""]) => `mount ${id} on ${path}`);
}

function links(): string[] {
  const lines = readFileSync("/proc/self/net/dev", "utf8").trimEnd().split("\n").slice(2);
  return lines.map((line) => `link ${line.split(":")[0]?.trim() ?? ""}`);
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" });
}
