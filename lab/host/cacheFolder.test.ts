import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cacheFolder } from "./cacheFolder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-cache-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("the user's word comes first, then XDG's", () => {
  expect(cacheFolder({ FWLAB_CACHE: join(folder, "own"), XDG_CACHE_HOME: folder })).toBe(join(folder, "own"));
  expect(cacheFolder({ FWLAB_CACHE: "", XDG_CACHE_HOME: folder })).toBe(join(folder, "fwlab"));
});

test("it is made for the user alone", async () => {
  expect((await stat(cacheFolder({ XDG_CACHE_HOME: join(folder, "deep") }))).mode & 0o777).toBe(0o700);
});

test("one that cannot be made is told in words", async () => {
  await writeFile(join(folder, "file"), "");
  expect(() => cacheFolder({ FWLAB_CACHE: join(folder, "file", "cache") })).toThrow(/make the cache folder .*FWLAB_CACHE=FOLDER/u);
});
