import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** Kinds of namespaces that a lab has of its own and that outlive a process when one more is in them. */
export const namespaceKinds = ["net", "mnt", "pid"] as const;

/** A living process, as /proc shows it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly environment: readonly string[];
  /** Link texts of its namespaces: `net:[4026531840]`. */
  readonly namespaces: readonly string[];
}

/** All processes that this process sees, those of namespaces inside its own included. Zombies do not live. */
export function livingProcesses(): ProcessInfo[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => processInfo(Number(name)) ?? []);
}

/** The namespaces of this process. */
export function ownNamespaces(): string[] {
  return namespacesOf("self");
}

/** The program's name, without its folder. */
export function programOf({ command }: ProcessInfo): string {
  return basename(command[0] ?? "");
}

/** Whether a process is QEMU running a machine of a topology, and not a bare kernel of the accelerator's trial. */
export function isMachine(process: ProcessInfo): boolean {
  return programOf(process).startsWith("qemu-system") && process.command.includes("-name");
}

function processInfo(pid: number): ProcessInfo | undefined {
  try {
    // "pid (name) state parent …", and the name may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /su, "").split(" ");
    if (state === "Z" || state === "X") {
      return undefined;
    }
    return {
      pid,
      parent: Number(parent),
      command: listOf(`/proc/${pid}/cmdline`),
      environment: listOf(`/proc/${pid}/environ`),
      namespaces: namespacesOf(pid),
    };
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && ["ENOENT", "ESRCH", "EACCES"].includes(String(thrown.code))) {
      // It ended while we looked, or is another user's and so none of ours.
      return undefined;
    }
    throw thrown;
  }
}

function listOf(path: string): string[] {
  return readFileSync(path, "utf8").split("\0").filter((part) => part !== "");
}

function namespacesOf(pid: number | "self"): string[] {
  return namespaceKinds.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`));
}
