import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, execaSync } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { compile, type CompiledProgram } from "../compiled.rig.ts";
import { silentProgress, type Progress } from "../progress/progress.ts";
import { snapshotKey, type SnapshotParts } from "./parts.ts";
import { fillMachine, flipByte, partsWith } from "./snapshot.rig.ts";
import { SnapshotStore, snapshotsFolder } from "./store.ts";

const key = snapshotKey(partsWith());
const { signal } = new AbortController();
const options = { progress: silentProgress, signal };
let fixture: CompiledProgram;
let cache: string;
let folder: string;
let store: SnapshotStore;

beforeAll(async () => {
  fixture = await compile(fileURLToPath(new URL("store.fixture.ts", import.meta.url)));
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "fwlab-store-"));
  folder = snapshotsFolder(cache);
  store = new SnapshotStore({ folder, limitBytes: Number.MAX_SAFE_INTEGER });
});
afterEach(async () => {
  await rm(cache, { recursive: true });
});

/** Progress that keeps the lines that stay. */
function noting(): { progress: Progress; notes: string[] } {
  const notes: string[] = [];
  return { notes, progress: { ...silentProgress, note: (line) => notes.push(line) } };
}

/** A filling that goes wrong when files are there. */
function afterFilling(harm: () => Promise<void>): (into: string) => Promise<void> {
  return async (into) => {
    await fillMachine(into);
    await harm();
  };
}

/** Everything in the store's folder. */
async function names(): Promise<string[]> {
  return (await readdir(folder)).sort();
}

describe("a snapshot that is stored", () => {
  test("is found, whole, for the user alone, under the key of its parts", async () => {
    expect(await store.find(key)).toEqual({ state: "missing" });
    const stored = await store.store(partsWith(), fillMachine, options);
    expect(stored).toBe(join(folder, key));
    expect(await store.find(key)).toMatchObject({ state: "whole", folder: stored, manifest: { parts: partsWith() } });
    expect((await stat(stored)).mode & 0o777).toBe(0o700);
    expect(await readFile(join(stored, "fw-1.state"), "utf8")).toBe("state of the devices");
    expect(await names()).toEqual([key]);
  });

  test("is not made again", async () => {
    await store.store(partsWith(), fillMachine, options);
    const fill = vi.fn(fillMachine);
    expect(await store.store(partsWith(), fill, options)).toBe(join(folder, key));
    expect(fill).not.toHaveBeenCalled();
  });

  test("is made again when it is damaged, and that is said", async () => {
    const stored = await store.store(partsWith(), fillMachine, options);
    await flipByte(join(stored, "fw-1.memory"), 0);
    expect(await store.find(key)).toMatchObject({ state: "damaged" });
    const { progress, notes } = noting();
    await store.store(partsWith(), fillMachine, { progress, signal });
    expect(await store.find(key)).toMatchObject({ state: "whole" });
    expect(notes).toEqual([expect.stringMatching(/^snapshot [0-9a-f]{16} is damaged \(fw-1\.memory has SHA-256 .*\); making it again$/u)]);
  });

  test("is made by one of two at once, and the other gets the same", async () => {
    const events = new EventEmitter();
    const [filled, noted, gate] = ["filled", "noted", "open"].map((name) => once(events, name));
    const fill = vi.fn(async (into: string) => {
      await fillMachine(into);
      events.emit("filled");
      await gate;
    });
    const first = store.store(partsWith(), fill, options);
    await filled;
    const progress = { ...silentProgress, note: (line: string) => events.emit("noted", line) };
    const second = new SnapshotStore({ folder, limitBytes: 0 }).store(partsWith(), fill, { progress, signal });
    expect(await noted).toEqual(["another fwlab makes a snapshot; waiting for it"]);
    events.emit("open");
    expect(await second).toBe(await first);
    expect(fill).toHaveBeenCalledOnce();
  });
});

describe("nothing unfinished is left", () => {
  test.each<readonly [string, RegExp, (into: string) => Promise<void>]>([
    ["nothing was filled in", /not of nothing/u, () => Promise.resolve()],
    ["the filling fails", /^fw-1 does not pause$/u, afterFilling(() => Promise.reject(new Error("fw-1 does not pause")))],
    [
      "the disk is full",
      /^store snapshot [0-9a-f]{16}: no space left in .*\/snapshots: ENOSPC.*\. Free space there .*FWLAB_CACHE=FOLDER\.$/u,
      afterFilling(() => writeFile("/dev/full", "memory")),
    ],
    [
      "a program says that the disk is full",
      /no space left in .*\. Free space there/u,
      afterFilling(() => Promise.reject(new Error("save fw-1", { cause: new Error("QEMU: Unable to write: No space left on device") }))),
    ],
  ])("when %s", async (_, message, fill) => {
    await expect(store.store(partsWith(), fill, options)).rejects.toThrow(message);
    expect(await names()).toEqual([]);
  });

  test("when it is interrupted, even by a filling that does not notice", async () => {
    const controller = new AbortController();
    const fill = async (into: string) => {
      await fillMachine(into);
      controller.abort(new Error("enough"));
    };
    await expect(store.store(partsWith(), fill, { progress: silentProgress, signal: controller.signal })).rejects.toThrow("enough");
    expect(await names()).toEqual([]);
  });

  test("after a maker was killed, once somebody else holds the lock", async () => {
    const maker = execa(process.execPath, [fixture.path, folder, "never"], { reject: false });
    await once(maker.stdout, "data");
    const [unfinished = ""] = await names();
    expect(unfinished).toMatch(/^\.unfinished-/u);
    // While the maker lives, others wait for it.
    const controller = new AbortController();
    await expect(store.evict(undefined, { signal: controller.signal, onWait: () => controller.abort(new Error("it lives")) })).rejects.toThrow("it lives");
    expect(await names()).toEqual([unfinished]);
    maker.kill("SIGKILL");
    await maker;
    expect(await names()).toEqual([unfinished]);
    expect(await store.evict()).toEqual([]);
    expect(await names()).toEqual([]);
  });

  const privately = ["unshare", ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]), "--mount", "sh", "-c"] as const;
  const probe = execaSync(privately[0], [...privately.slice(1), "mount -t tmpfs fwlab /mnt"], { reject: false });
  test.skipIf(probe.failed)(`when there is no room for the manifest${probe.failed ? " (skipped: this user may not mount)" : ""}`, async () => {
    await mkdir(folder);
    const script = 'mount -t tmpfs -o size=1m fwlab "$1" && exec "$2" "$3" "$1" brim';
    const { stdout } = await execa(privately[0], [...privately.slice(1), script, "sh", folder, process.execPath, fixture.path]);
    const { ended, left } = JSON.parse(stdout) as { ended: string; left: string[] };
    expect(ended).toMatch(/^Failure: store snapshot [0-9a-f]{16}: no space left in .*\/snapshots: ENOSPC: no space left on device, write\. Free space there/u);
    expect(left).toEqual([]);
  });
});

test("an empty cache lists, clears and evicts nothing", async () => {
  expect(await store.list()).toEqual([]);
  await store.discard(key);
  expect(await store.clear()).toEqual([]);
  expect(await store.evict()).toEqual([]);
});

test("a key leads nowhere else", async () => {
  await expect(store.find("../keys")).rejects.toThrow(RangeError);
  await expect(store.discard("..")).rejects.toThrow(RangeError);
});

test("parts that are not known are not stored", async () => {
  const { image, ...rest } = partsWith();
  expect(image).not.toBe("");
  await expect(store.store(rest as SnapshotParts, fillMachine, options)).rejects.toThrow(/image/u);
});
