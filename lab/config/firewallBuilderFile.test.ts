import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitCode, Failure } from "../failure/failure.ts";
import { firewallBuilderFile } from "./firewallBuilderFile.ts";

let tree: string;
let overlay: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), "fwlab-tree-"));
  overlay = await mkdtemp(join(tmpdir(), "fwlab-overlay-"));
});
afterEach(async () => {
  await Promise.all([tree, overlay].map((folder) => rm(folder, { recursive: true })));
});

async function failure(trees: readonly string[]): Promise<Failure> {
  const thrown: unknown = await firewallBuilderFile(trees).catch((error: unknown) => error);
  if (thrown instanceof Failure) return thrown;
  throw new Error("it was taken");
}

test("the one .fwb file at a tree's top, with the tree as it was given", async () => {
  await writeFile(join(tree, "policy.fwb"), "<x/>");
  await writeFile(join(tree, "fwlab.json"), "{}");
  expect(await firewallBuilderFile([`${tree}/`, overlay])).toEqual({ path: join(tree, "policy.fwb"), tree: `${tree}/`, content: Buffer.from("<x/>") });
});

test("a tree without one has none, nor has one that is not there, nor a machine's own file", async () => {
  await mkdir(join(tree, "fw-1"));
  await writeFile(join(tree, "fw-1", "policy.fwb"), "");
  expect(await firewallBuilderFile([tree, overlay, join(tree, "absent")])).toBeUndefined();
});

test("an upper tree's is in the place of a lower one's", async () => {
  await writeFile(join(tree, "a.fwb"), "lower");
  await writeFile(join(overlay, "b.fwb"), "upper");
  expect(await firewallBuilderFile([tree, overlay])).toMatchObject({ path: join(overlay, "b.fwb"), tree: overlay });
});

describe("what is refused as bad input", () => {
  test("two in one tree, both named", async () => {
    for (const name of ["a.fwb", "b.fwb"]) await writeFile(join(tree, name), "");
    expect(await failure([tree])).toMatchObject({ exit: exitCode.usage, seen: expect.stringMatching(/a\.fwb, b\.fwb/u) as unknown });
  });

  test("a symbolic link, a folder, a file of 17 MiB", async () => {
    await symlink("/etc/passwd", join(tree, "policy.fwb"));
    expect((await failure([tree])).seen).toMatch(/symbolic link/u);
    await rm(join(tree, "policy.fwb"));
    await mkdir(join(tree, "policy.fwb"));
    expect((await failure([tree])).seen).toMatch(/no regular file/u);
    await writeFile(join(overlay, "policy.fwb"), "");
    await truncate(join(overlay, "policy.fwb"), 17 * 1024 * 1024);
    expect(await failure([overlay])).toMatchObject({ exit: exitCode.usage, seen: expect.stringMatching(/17825792 bytes/u) as unknown });
  });
});
