import { randomBytes } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SnapshotParts } from "./parts.ts";

/** Parts as a lab would name them, with what a test wants otherwise. */
export function partsWith(other: Partial<SnapshotParts> = {}): SnapshotParts {
  return {
    image: "5f3a9c0d1e2b4a68",
    qemu: "7.2.22",
    accelerator: "tcg",
    processor: "max",
    topology: "primary-backup",
    arguments: "0a21ff45aaa2",
    files: "77c1d90be3f4",
    tree: "none",
    ...other,
  };
}

/** Length of the memory file that `fillMachine` writes: more than is hashed each time. */
export const memoryBytes = 6 * 1024 ** 2;

/** Writes the files of one machine, its memory sparse: 1 MiB of 6 is allocated. */
export async function fillMachine(folder: string): Promise<void> {
  await using memory = await open(join(folder, "fw-1.memory"), "w");
  await memory.truncate(memoryBytes);
  // Random, as some file systems store what repeats in less.
  await memory.write(randomBytes(1024 ** 2), 0, 1024 ** 2, 2 * 1024 ** 2);
  await writeFile(join(folder, "fw-1.state"), "state of the devices");
  await writeFile(join(folder, "clocks.json"), "{}\n");
}

/** Changes one byte of a file where it stands. */
export async function flipByte(path: string, position: number): Promise<void> {
  await using file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte.writeUInt8(byte.readUInt8() ^ 1);
  await file.write(byte, 0, 1, position);
}
