import { copyFile, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { atRestMs, checkOf, hashFile } from "./checks.ts";
import { inspectSnapshot } from "./inspect.ts";
import { sealSnapshot } from "./manifest.ts";
import { snapshotKey } from "./parts.ts";
import { fillMachine, flipByte, memoryBytes, partsWith } from "./snapshot.rig.ts";

const key = snapshotKey(partsWith());
const { signal } = new AbortController();
let top: string;
let folder: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "fwlab-snapshot-"));
  folder = join(top, key);
  await mkdir(folder);
  await fillMachine(folder);
  await sealSnapshot(folder, partsWith(), signal);
});
afterEach(async () => {
  await rm(top, { recursive: true });
});

const at = (name: string) => join(folder, name);

/** Why the snapshot is not whole: the empty string when it is. */
async function fault(): Promise<string> {
  const state = await inspectSnapshot(folder, key);
  return state.state === "damaged" ? state.why : state.state === "whole" ? "" : state.state;
}

/** Puts words into a JSON file of the snapshot. */
async function edit(name: string, change: (text: string) => string): Promise<void> {
  await writeFile(at(name), change(await readFile(at(name), "utf8")));
}

/** Gives `to` the mtime of `from`, to the nanosecond, which Node's utimes cannot. */
async function copyTimes(from: string, to: string): Promise<void> {
  await execa("touch", ["--reference", from, to]);
}

/** Notes a file as checked as it is now, with the hash that the manifest has. */
async function forgeCheck(name: string): Promise<void> {
  const manifest = JSON.parse(await readFile(at("manifest.json"), "utf8")) as { files: Record<string, { sha256: string }> };
  const checks = JSON.parse(await readFile(at("checked.json"), "utf8")) as { files: Record<string, unknown> };
  checks.files[name] = checkOf(manifest.files[name]?.sha256 ?? "", await lstat(at(name), { bigint: true }));
  await writeFile(at("checked.json"), JSON.stringify(checks));
}

test("an unharmed snapshot is whole, with its manifest", async () => {
  const state = await inspectSnapshot(folder, key);
  expect(state).toMatchObject({ state: "whole", folder, manifest: { parts: partsWith() } });
  expect(state.state === "whole" && Object.keys(state.manifest.files).sort()).toEqual(["clocks.json", "fw-1.memory", "fw-1.state"]);
});

test("no folder is no snapshot", async () => {
  await rm(folder, { recursive: true });
  expect(await inspectSnapshot(folder, key)).toEqual({ state: "missing" });
});

test.each<readonly [string, RegExp, () => Promise<unknown>]>([
  ["changed in one byte of its memory", /^fw-1\.memory has SHA-256/u, () => flipByte(at("fw-1.memory"), 3 * 1024 ** 2)],
  ["changed in one byte of a hole", /^fw-1\.memory has SHA-256/u, () => flipByte(at("fw-1.memory"), memoryBytes - 1)],
  [
    "changed in one byte, with its mtime put back",
    /^fw-1\.memory has SHA-256/u,
    async () => {
      const { mtimeNs } = await lstat(at("fw-1.memory"), { bigint: true });
      await writeFile(join(top, "times"), "");
      await copyTimes(at("fw-1.memory"), join(top, "times"));
      await flipByte(at("fw-1.memory"), 0);
      await copyTimes(join(top, "times"), at("fw-1.memory"));
      expect((await lstat(at("fw-1.memory"), { bigint: true })).mtimeNs).toBe(mtimeNs);
    },
  ],
  ["changed in one byte of its state", /^fw-1\.state has SHA-256/u, () => flipByte(at("fw-1.state"), 0)],
  ["cut off", new RegExp(`^fw-1\\.memory has ${memoryBytes - 1} bytes, not ${memoryBytes}$`, "u"), () => truncate(at("fw-1.memory"), memoryBytes - 1)],
  [
    "cut off and lengthened again",
    /^fw-1\.memory has SHA-256/u,
    async () => {
      await truncate(at("fw-1.memory"), 1);
      await truncate(at("fw-1.memory"), memoryBytes);
    },
  ],
  [
    "with another file of the same size and times in a file's place",
    /^fw-1\.memory has SHA-256/u,
    async () => {
      await writeFile(join(top, "other"), Buffer.alloc(memoryBytes, "other"));
      await copyTimes(at("fw-1.memory"), join(top, "other"));
      await rename(join(top, "other"), at("fw-1.memory"));
    },
  ],
  [
    "with a link in a file's place",
    /^fw-1\.memory is no plain file$/u,
    async () => {
      await rename(at("fw-1.memory"), join(top, "elsewhere"));
      await symlink(join(top, "elsewhere"), at("fw-1.memory"));
    },
  ],
  ["without a file", /^fw-1\.memory is missing$/u, () => unlink(at("fw-1.memory"))],
  ["without a small file", /^clocks\.json is missing$/u, () => unlink(at("clocks.json"))],
  ["without a manifest", /^manifest\.json is missing$/u, () => unlink(at("manifest.json"))],
  ["with half a manifest", /^manifest\.json cannot be read: it is no JSON$/u, () => edit("manifest.json", (text) => text.slice(0, 100))],
  ["with another kind of manifest", /^manifest\.json cannot be read: parts /u, () => writeFile(at("manifest.json"), "{}")],
  ["with a manifest of a later kind", /^manifest\.json cannot be read: .*later/u, () => edit("manifest.json", (text) => text.replace("{", '{"later": 1,'))],
  ["with a manifest that leads elsewhere", /^manifest\.json cannot be read: files /u, () => edit("manifest.json", (text) => text.replace("clocks.json", "../clocks.json"))],
  ["with the manifest of another", /^manifest\.json is of snapshot [0-9a-f]{16}$/u, () => edit("manifest.json", (text) => text.replace("7.2.22", "8.2.2"))],
  ["whose manifest has another hash for what was checked", /^fw-1\.memory has SHA-256/u, () => edit("manifest.json", (text) => text.replace(/(?<="fw-1\.memory"[^}]*"sha256": ")[0-9a-f]{12}/u, "000000000000"))],
])("a snapshot %s is damaged", async (_, why, harm) => {
  expect(await fault()).toBe("");
  await harm();
  expect(await fault()).toMatch(why);
});

describe("what was checked", () => {
  test("is not read again until the host boots", async () => {
    await flipByte(at("fw-1.memory"), 0);
    await forgeCheck("fw-1.memory");
    expect(await fault()).toBe("");
    await edit("checked.json", (text) => text.replace(/(?<="bootId":")[0-9a-f-]+/u, "00000000-0000-4000-8000-000000000000"));
    expect(await fault()).toMatch(/^fw-1\.memory has SHA-256/u);
  });

  test("is read again when it is small", async () => {
    await flipByte(at("fw-1.state"), 0);
    await forgeCheck("fw-1.state");
    expect(await fault()).toMatch(/^fw-1\.state has SHA-256/u);
  });

  test.each<readonly [string, () => Promise<unknown>]>([
    ["nothing", () => unlink(at("checked.json"))],
    ["no JSON", () => writeFile(at("checked.json"), "\0garbage")],
    ["half of it", () => edit("checked.json", (text) => text.slice(0, 200))],
    ["other JSON", () => writeFile(at("checked.json"), '{"bootId": 7, "files": []}')],
  ])("is checked by hash and noted anew where the note holds %s", async (_, harm) => {
    const note = await readFile(at("checked.json"), "utf8");
    await setTimeout(atRestMs);
    await harm();
    expect(await fault()).toBe("");
    expect(await readFile(at("checked.json"), "utf8")).toBe(note);
    await harm();
    await flipByte(at("fw-1.memory"), 0);
    expect(await fault()).toMatch(/^fw-1\.memory has SHA-256/u);
  });

  test("is checked by hash and noted anew where an equal file came in its place", async () => {
    await copyFile(at("fw-1.memory"), join(top, "copy"));
    await rename(join(top, "copy"), at("fw-1.memory"));
    await setTimeout(atRestMs + 5);
    expect(await fault()).toBe("");
    expect(await readFile(at("checked.json"), "utf8")).toContain(`"${(await stat(at("fw-1.memory"))).ino}"`);
  });

  test("is only what was at rest before, and while it was read", async () => {
    const path = join(top, "file");
    await writeFile(path, "");
    await truncate(path, 64 * 1024 ** 2);
    expect((await hashFile(path)).check).toBeUndefined();
    await setTimeout(atRestMs + 5);
    expect((await hashFile(path)).check).toMatchObject({ inode: String((await stat(path)).ino) });
    const hashing = hashFile(path);
    const ended = hashing.then(() => true);
    await setTimeout(2);
    // Again and again, as a busy host takes its time for each change.
    do await flipByte(path, 64 * 1024 ** 2 - 1);
    while (!(await Promise.race([ended, Promise.resolve(false)])));
    expect((await hashing).check).toBeUndefined();
  });
});

test("only plain files with plain names are sealed, and some at least", async () => {
  const empty = join(top, "empty");
  await mkdir(empty);
  await expect(sealSnapshot(empty, partsWith(), signal)).rejects.toThrow(/not of nothing/u);
  for (const name of ["manifest.json", "checked.json", ".hidden", "two words"]) {
    await writeFile(join(empty, name), "");
    await expect(sealSnapshot(empty, partsWith(), signal)).rejects.toThrow(JSON.stringify(name));
    await unlink(join(empty, name));
  }
  await mkdir(join(empty, "inner"));
  await expect(sealSnapshot(empty, partsWith(), signal)).rejects.toThrow('"inner"');
});
