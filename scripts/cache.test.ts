import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { compile, type CompiledProgram } from "../lab/compiled.rig.ts";
import { imageFiles, measureFile, sealImage } from "../lab/image/manifest.ts";
import { readRecipe } from "../lab/image/recipe.ts";
import { silentProgress } from "../lab/progress/progress.ts";
import { fillMachine, partsWith } from "../lab/snapshot/snapshot.rig.ts";
import { snapshotKey } from "../lab/snapshot/parts.ts";
import { SnapshotStore, snapshotsFolder } from "../lab/snapshot/store.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const whole = partsWith({ topology: "primary-backup" });
const damaged = partsWith({ topology: "two" });
let cache: string;
let current: string;
let fwlab: CompiledProgram;

beforeAll(async () => {
  fwlab = await compile(fileURLToPath(new URL("fwlab.ts", import.meta.url)));
});
afterAll(() => fwlab[Symbol.asyncDispose]());

/** A cache with today's image, an old one, a snapshot that is whole and one that is damaged. */
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "fwlab-cache-"));
  ({ id: current } = await readRecipe());
  await storeImage(current);
  await storeImage("0123456789ab");
  const store = new SnapshotStore({ folder: snapshotsFolder(cache), limitBytes: Number.MAX_SAFE_INTEGER });
  const options = { progress: silentProgress, signal: new AbortController().signal };
  await truncate(join(await store.store(damaged, fillMachine, options), "fw-1.state"), 3);
  await store.store(whole, fillMachine, options);
});
afterEach(async () => {
  await rm(cache, { recursive: true });
});

async function storeImage(id: string): Promise<void> {
  const folder = join(cache, "images", id);
  await mkdir(folder, { recursive: true });
  await Promise.all(imageFiles.map((name) => writeFile(join(folder, name), name)));
  const [kernel, initrd, squashfs] = await Promise.all(imageFiles.map((name) => measureFile(join(folder, name))));
  if (kernel === undefined || initrd === undefined || squashfs === undefined) {
    throw new RangeError("three files were written");
  }
  await sealImage(folder, { id, kernelRelease: "6.1.0-40-cloud-amd64", builtAt: "2026-11-20T16:00:00.000Z", files: { kernel, initrd, "root.squashfs": squashfs } });
}

async function fwlabCache(args: readonly string[] = [], limit = "700M") {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [fwlab.path, "cache", ...args], {
    cwd: root,
    env: { FWLAB_CACHE: cache, FWLAB_SNAPSHOT_LIMIT: limit },
    reject: false,
    stdin: "ignore",
  });
  return { exitCode, stderr, lines: stdout.split("\n") };
}

const kept = async (kind: "images" | "snapshots") => (await readdir(join(cache, kind))).sort();

test("images and snapshots are listed in columns, with what they take together", async () => {
  const { exitCode, lines, stderr } = await fwlabCache();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(lines).toHaveLength(8);
  expect(lines[0]).toBe(`cache: ${cache}`);
  expect(lines.slice(1, 3).sort()).toEqual([
    expect.stringMatching(/^image {2}0123456789ab +kernel 6\.1\.0-40-cloud-amd64 {2}built 2026-11-20T16:00:00Z {2}whole$/u),
    expect.stringMatching(new RegExp(`^image {2}${current} +kernel 6\\.1\\.0-40-cloud-amd64 {2}built 2026-11-20T16:00:00Z {2}whole, today's recipe$`, "u")),
  ]);
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
  expect(lines[3]).toMatch(new RegExp(`^snapshot {2}${snapshotKey(whole)} {2}primary-backup {2}tree none {2}tcg {2}QEMU 7\\.2\\.22 {2}\\d\\.\\d MiB {2}made ${time} {2}used ${time} {2}whole$`, "u"));
  expect(lines[4]).toMatch(new RegExp(`^snapshot {2}${snapshotKey(damaged)} {2}two {13}tree none {2}tcg {2}QEMU 7\\.2\\.22 {2}\\d\\.\\d MiB {2}made ${time} {2}used ${time} {2}damaged: fw-1\\.state has 3 bytes, not 20$`, "u"));
  expect(lines[5]).toMatch(/^snapshots take 2\.\d MiB of at most 700\.0 MiB \(FWLAB_SNAPSHOT_LIMIT\)$/u);
});

test("answers and the toolbox's base are counted, and removed with the rest or alone", async () => {
  for (const kind of ["answers", "toolbox"]) {
    await mkdir(join(cache, kind));
    await writeFile(join(cache, kind, "file"), Buffer.alloc(3_072));
  }
  expect((await fwlabCache()).lines.slice(-2)).toEqual(["answers: 1 machines' files that the guests' checkers have seen, 3.0 KiB", "toolbox: 1 bases of the toolbox, 3.0 KiB"]);
  expect((await fwlabCache(["--clear", "answers"])).lines.slice(-2)).toEqual(["answers: 1 machines' files that the guests' checkers have seen, 3.0 KiB, removed", "toolbox: 1 bases of the toolbox, 3.0 KiB"]);
  expect((await readdir(cache)).includes("answers")).toBe(false);
  await fwlabCache(["--clear"]);
  expect((await readdir(cache)).includes("toolbox")).toBe(false);
});

test("--clear removes old images and all snapshots, and says so", async () => {
  const { exitCode, lines } = await fwlabCache(["--clear"]);
  expect(exitCode).toBe(0);
  expect(lines.filter((line) => line.endsWith("removed")).map((line) => line.split(/ +/u)[1]).sort()).toEqual(["0123456789ab", snapshotKey(whole), snapshotKey(damaged)].sort());
  expect(lines).toContain("snapshots take 0.0 MiB of at most 700.0 MiB (FWLAB_SNAPSHOT_LIMIT)");
  expect(await kept("images")).toEqual([current]);
  expect(await kept("snapshots")).toEqual([]);
});

test.each(["images", "snapshots"] as const)("--clear %s removes one kind only", async (kind) => {
  expect((await fwlabCache(["--clear", kind])).exitCode).toBe(0);
  expect(await kept("images")).toHaveLength(kind === "images" ? 1 : 2);
  expect(await kept("snapshots")).toHaveLength(kind === "images" ? 2 : 0);
});

test("a limit that is no size is told before anything is removed", async () => {
  const { exitCode, lines, stderr } = await fwlabCache(["--clear"], "lots");
  expect({ exitCode, lines }).toEqual({ exitCode: 2, lines: [""] });
  expect(stderr).toMatch(/^fwlab: read FWLAB_SNAPSHOT_LIMIT: "lots" is no size\. [^\n]*$/u);
  expect(await kept("snapshots")).toHaveLength(2);
});
