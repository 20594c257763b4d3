import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { learnedAddressSchema } from "../host/bridges.ts";

/** What the machines' files do not say of a saved lab. `savedAtMs` is of the host's epoch clock. */
const recordSchema = z.object({ topology: z.string(), machines: z.array(z.string()), savedAtMs: z.number(), learned: z.array(learnedAddressSchema) });

const recordFile = "lab.json";

/** All machines of a lab, saved at one moment: a folder with each one's memory, device state and files, and what the bridges had learned. */
export type LabSnapshot = z.infer<typeof recordSchema> & { readonly folder: string };

/** The files of one machine in a snapshot's folder. */
export function savedFiles(folder: string, machine: string): { readonly memory: string; readonly state: string; readonly files: string } {
  return { memory: join(folder, `${machine}.memory`), state: join(folder, `${machine}.state`), files: join(folder, `${machine}.tar`) };
}

/** Completes the folder of a snapshot: without this record, it is none. */
export async function writeSnapshotRecord({ folder, ...record }: LabSnapshot): Promise<void> {
  await writeFile(join(folder, recordFile), `${JSON.stringify(recordSchema.parse(record), undefined, 1)}\n`, { mode: 0o600 });
}

/** Reads a snapshot's folder. @throws when there is none in it, or its record has another form. */
export async function readSnapshot(folder: string): Promise<LabSnapshot> {
  return { folder, ...recordSchema.parse(JSON.parse(await readFile(join(folder, recordFile), "utf8"))) };
}
