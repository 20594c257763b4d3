/**
 * Another process that stores a snapshot into the folder that it is given, for store.test.ts: `never` never ends its filling and says when
 * it has begun; `brim` fills the disk to the last byte, so that there is no room for the manifest, and says how the storing ended.
 */
import { open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentProgress } from "../progress/progress.ts";
import { fillMachine, partsWith } from "./snapshot.rig.ts";
import { SnapshotStore } from "./store.ts";

const [folder = "", way = ""] = process.argv.slice(2);
const store = new SnapshotStore({ folder, limitBytes: Number.MAX_SAFE_INTEGER });

async function never(into: string): Promise<void> {
  await fillMachine(into);
  console.log("filling");
  await new Promise(() => setInterval(() => undefined, 1000));
}

async function brim(into: string): Promise<void> {
  await writeFile(join(into, "fw-1.state"), "state of the devices");
  await using memory = await open(join(into, "fw-1.memory"), "w");
  for (const bytes of [65_536, 1]) {
    try {
      for (;;) {
        await memory.write(Buffer.alloc(bytes, "memory"));
      }
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOSPC")) {
        throw thrown;
      }
    }
  }
}

const ended = await store.store(partsWith(), way === "never" ? never : brim, { progress: silentProgress, signal: new AbortController().signal }).then(
  () => "stored",
  (thrown: unknown) => String(thrown),
);
console.log(JSON.stringify({ ended, left: await readdir(folder) }));
