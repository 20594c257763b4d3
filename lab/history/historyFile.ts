import { constants } from "node:fs";
import { mkdir, open, readFile, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { historyEntrySchema, historyVersion, type HistoryEntry } from "../evidence/history.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { writeWhole } from "../report/atomicFile.ts";

/** Name of the history in the folder of runs. */
export const historyName = "history.jsonl";

/** A line that could not be read. It stays in the file: a newer fwlab, or a person, may make something of it. */
export interface BrokenLine {
  /** Counts from 1. */
  readonly line: number;
  readonly text: string;
  readonly seen: string;
}

export interface History {
  /** Oldest first, each id once: of two lines of one id the later is true. */
  readonly entries: readonly HistoryEntry[];
  readonly broken: readonly BrokenLine[];
}

/** Reads a history; one that is not there yet is empty. @throws Failure (usage) when it cannot be read at all. */
export async function readHistory(runsFolder: string): Promise<History> {
  const path = join(runsFolder, historyName);
  try {
    return parseHistory(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { entries: [], broken: [] };
    throw new Failure({ tried: `read ${path}`, seen: messageOf(error), remedy: "Make the file readable", exit: exitCode.usage, cause: error });
  }
}

/** Reads the lines of a history. What is no entry is told, and hides no other line. */
export function parseHistory(text: string): History {
  const byId = new Map<string, HistoryEntry>();
  const broken: BrokenLine[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = parseLine(line);
    if (typeof read === "string") broken.push({ line: index + 1, text: line, seen: read });
    else byId.set(read.id, read);
  }
  return { entries: [...byId.values()].toSorted((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id)), broken };
}

function parseLine(line: string): HistoryEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `cut short or no JSON (${messageOf(error)})`;
  }
  const told = z.object({ schema: z.number() }).safeParse(value);
  if (told.success && told.data.schema > historyVersion) return `it is of schema ${told.data.schema}, and this fwlab knows up to ${historyVersion}`;
  const result = historyEntrySchema.safeParse(value);
  return result.success ? result.data : result.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
}

/**
 * Appends a line, whole, while others may do the same: one write(2) with O_APPEND, which Linux puts behind all others' on a local file system. A line that
 * somebody left unfinished (disk full, power lost) is closed first, so that it takes no other line with it.
 * @throws Failure when the line could not be written whole.
 */
export async function appendHistory(runsFolder: string, entry: HistoryEntry): Promise<void> {
  const path = join(runsFolder, historyName);
  const line = `${JSON.stringify(historyEntrySchema.parse(entry))}\n`;
  try {
    await mkdir(runsFolder, { recursive: true });
    // The file may be replaced by a rebuilt one between opening and writing: then the line is written again, and a line that is there twice counts once.
    for (let settled = false; !settled; ) {
      await using file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o644);
      await appendLine(file, line);
      settled = (await file.stat()).ino === (await stat(path).catch(() => undefined))?.ino;
    }
  } catch (error) {
    throw new Failure({ tried: `append a line to ${path}`, seen: messageOf(error), remedy: "Make room on the disk or the file writable, then `fwlab history --rebuild`", exit: exitCode.invalid, cause: error });
  }
}

async function appendLine(file: FileHandle, line: string): Promise<void> {
  const { size } = await file.stat();
  const last = size === 0 ? "\n" : (await file.read({ buffer: Buffer.alloc(1), position: size - 1 })).buffer.toString();
  const bytes = Buffer.from(last === "\n" ? line : `\n${line}`);
  const { bytesWritten } = await file.write(bytes);
  if (bytesWritten !== bytes.length) throw new Error(`${bytesWritten} of ${bytes.length} bytes were written`);
}

/**
 * Replaces the history by what bundles tell. Lines whose bundles are gone stay, and so do lines that cannot be read: a history is never made poorer.
 * @param found what the bundles in the folder tell now. @returns the history as it is now.
 */
export async function rebuildHistory(runsFolder: string, found: readonly HistoryEntry[]): Promise<History> {
  const path = join(runsFolder, historyName);
  await mkdir(runsFolder, { recursive: true });
  await using old = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o644);
  const read = await old.readFile();
  const { entries, broken } = parseHistory(read.toString("utf8"));
  const all = new Map([...entries, ...found].map((entry) => [entry.id, entry]));
  const lines = [...all.values()].toSorted((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id)).map((entry) => JSON.stringify(entry));
  await writeWhole(runsFolder, historyName, [...broken.map(({ text }) => text), ...lines].map((line) => `${line}\n`).join(""));
  // What was appended to the old file in the meantime is not lost with it.
  const { size } = await old.stat();
  if (size > read.length) {
    const { buffer } = await old.read({ buffer: Buffer.alloc(size - read.length), position: read.length });
    for (const entry of parseHistory(buffer.toString("utf8")).entries) await appendHistory(runsFolder, entry);
  }
  return await readHistory(runsFolder);
}
