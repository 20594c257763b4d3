import { open, type FileHandle } from "node:fs/promises";
import { firstProcessMark } from "./bareKernel.ts";
import { readyMarker } from "./machineFiles.ts";

/** How far a boot has come, by what the console said. */
export const bootStages = ["power on", "kernel", "initramfs", "root mounted", "ready"] as const;
export type BootStage = (typeof bootStages)[number];

const stageMarks: readonly (readonly [stage: BootStage, mark: RegExp])[] = [
  ["ready", new RegExp(`^${readyMarker}`, "mu")],
  ["root mounted", /^fwlab: root mounted/mu],
  ["initramfs", new RegExp(firstProcessMark, "u")],
  ["kernel", /Booting from ROM|Linux version/u],
];

/** The stage that a console's text shows. */
export function stageOf(text: string): BootStage {
  return stageMarks.find(([, mark]) => mark.test(text))?.[0] ?? "power on";
}

/** A line that says that the boot cannot go on, if there is one: a kernel panic, or the initramfs giving up. */
export function fatalLine(text: string): string | undefined {
  return /^.*(?:Kernel panic - not syncing|fwlab: boot failed:|You are in emergency mode).*$/mu.exec(text)?.[0].trim();
}

/** The last lines of a console, without terminal escapes. */
export function lastLines(text: string, count: number): string[] {
  return (
    text
      // eslint-disable-next-line no-control-regex -- the console's escape sequences are control characters
      .replace(/\u001b(?:\[[0-9;?]*[a-zA-Z]|c)/gu, "")
      .split(/\r?\n|\r/u)
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .slice(-count)
  );
}

/** Follows the file into which QEMU writes a machine's console. */
export class ConsoleFollower implements AsyncDisposable {
  #text = "";
  #offset = 0;
  #handle: FileHandle | undefined;
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Reads what is new. @returns how many bytes were. @throws when the file exists but cannot be read. */
  async poll(): Promise<number> {
    if (this.#handle === undefined) {
      try {
        this.#handle = await open(this.path, "r");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
        throw error;
      }
    }
    const chunk = Buffer.alloc(64 * 1024);
    let total = 0;
    for (;;) {
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, this.#offset);
      if (bytesRead === 0) return total;
      this.#offset += bytesRead;
      total += bytesRead;
      this.#text += chunk.toString("latin1", 0, bytesRead);
    }
  }

  /** All that the console has said. */
  get text(): string {
    return this.#text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
}
