import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentProgress } from "../progress/progress.ts";
import { snapshotKey } from "./parts.ts";
import { flipByte, partsWith } from "./snapshot.rig.ts";
import { SnapshotStore } from "./store.ts";

const mebibyte = 1024 ** 2;
const options = { progress: silentProgress, signal: new AbortController().signal };
const topologies = ["one", "two", "three"] as const;
const keyOf = (topology: string) => snapshotKey(partsWith({ topology }));

let folder: string;
let store: SnapshotStore;

/** Three of 1 MiB on the disk each, 16 MiB long, last used in their order, an hour apart. */
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "fwlab-evict-")), "snapshots");
  store = limited(Number.MAX_SAFE_INTEGER);
  for (const [index, topology] of topologies.entries()) {
    const stored = await store.store(partsWith({ topology }), fillSparse, options);
    const used = new Date(Date.now() - (10 - index) * 3_600_000);
    await utimes(join(stored, "manifest.json"), used, used);
  }
});

afterEach(async () => {
  await rm(join(folder, ".."), { recursive: true });
});

async function fillSparse(into: string): Promise<void> {
  const path = join(into, "fw-1.memory");
  await writeFile(path, randomBytes(mebibyte));
  await truncate(path, 16 * mebibyte);
}

function limited(limitBytes: number): SnapshotStore {
  return new SnapshotStore({ folder, limitBytes });
}

/** Everything in the store's folder. */
async function names(): Promise<string[]> {
  return (await readdir(folder)).sort();
}

test("the least recently used go until the rest fits, by what they take on the disk", async () => {
  expect(await limited(3.5 * mebibyte).evict()).toEqual([]);
  expect((await limited(2.5 * mebibyte).evict()).map(({ parts }) => parts?.topology)).toEqual(["one"]);
  expect(await names()).toEqual([keyOf("two"), keyOf("three")].sort());
});

test("one that is looked up counts as used; a list does not", async () => {
  await store.find(keyOf("one"));
  await store.list();
  expect((await limited(1.5 * mebibyte).evict()).map(({ parts }) => parts?.topology)).toEqual(["two", "three"]);
});

test("the one to keep is kept, whatever the limit", async () => {
  expect((await limited(0).evict(keyOf("one"))).map(({ key: removed }) => removed)).toEqual([keyOf("two"), keyOf("three")]);
  expect(await names()).toEqual([keyOf("one")]);
});

test("the one just made is kept, and others go for it", async () => {
  await limited(2.5 * mebibyte).store(partsWith({ topology: "four" }), fillSparse, options);
  expect(await names()).toEqual([keyOf("three"), keyOf("four")].sort());
  await limited(0).store(partsWith({ topology: "five" }), fillSparse, options);
  expect(await names()).toEqual([keyOf("five")]);
});

test("one whose manifest cannot be read goes first", async () => {
  await writeFile(join(folder, keyOf("three"), "manifest.json"), "garbage");
  expect(await limited(2.5 * mebibyte).evict()).toMatchObject([{ key: keyOf("three"), parts: undefined, madeAt: undefined, usedAt: undefined }]);
});

test("all are listed, the last used first, with what is wrong", async () => {
  await flipByte(join(folder, keyOf("two"), "fw-1.memory"), 0);
  await writeFile(join(folder, keyOf("one"), "manifest.json"), "garbage");
  const list = await store.list();
  expect(list.map(({ key: listed, parts, state }) => [listed, parts?.topology, state.state])).toEqual([
    [keyOf("three"), "three", "whole"],
    [keyOf("two"), "two", "damaged"],
    [keyOf("one"), undefined, "damaged"],
  ]);
  const [{ diskBytes, madeAt, usedAt } = { diskBytes: 0 }] = list;
  expect(diskBytes).toBeGreaterThanOrEqual(mebibyte);
  expect(diskBytes).toBeLessThan(1.1 * mebibyte);
  expect(Date.now() - (madeAt?.getTime() ?? 0)).toBeLessThan(60_000);
  expect(Math.round((Date.now() - (usedAt?.getTime() ?? 0)) / 3_600_000)).toBe(8);
});

test("all are removed by clear, and nothing that is none of the store's", async () => {
  await mkdir(join(folder, "notes"));
  expect((await store.clear()).map(({ key: removed }) => removed)).toEqual(topologies.map(keyOf));
  expect(await names()).toEqual(["notes"]);
  expect(await store.clear()).toEqual([]);
});

test("one is discarded, once or twice, and its open files live on", async () => {
  const path = join(folder, keyOf("two"), "fw-1.memory");
  const before = await readFile(path);
  await using memory = await open(path);
  await Promise.all([store.discard(keyOf("two")), store.discard(keyOf("two"))]);
  await store.discard(keyOf("two"));
  expect(await names()).toEqual([keyOf("one"), keyOf("three")].sort());
  expect((await memory.readFile()).equals(before)).toBe(true);
});
