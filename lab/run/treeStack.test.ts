import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixturesFolder } from "./prepare.ts";
import { treeStack } from "./treeStack.ts";

test("a tree that is whole stands alone, one of differences on what it differs from", async () => {
  expect(await treeStack(join(fixturesFolder, "sandwich"))).toEqual([join(fixturesFolder, "sandwich")]);
  expect((await treeStack(join(fixturesFolder, "sandwich-ha"))).map((tree) => basename(tree))).toEqual(["sandwich", "sandwich-ha"]);
});

describe("refused", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stack-"));
    for (const [name, over] of [["one", "two"], ["two", "one"], ["lost", "nowhere"], ["out", "../one"]] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "fwlab.json"), JSON.stringify({ over }));
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    ["one", /laid over one, which is laid over it/u],
    ["lost", /nowhere, which is no reference tree/u],
    ["out", /over: a name in fixtures/u],
  ])("%s", async (name, seen) => {
    await expect(treeStack(join(folder, name), folder)).rejects.toThrow(seen);
  });
});
