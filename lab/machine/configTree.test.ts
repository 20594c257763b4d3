import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { configHash, machineTree } from "./configTree.ts";
import { writeMachineFiles } from "./machineFiles.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-tree-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function put(path: string, content: string, mode = 0o644): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  await chmod(file, mode);
}

const textOf = async (trees: string[], machine: string, path: string): Promise<string | undefined> => {
  const entry = (await machineTree(trees, machine)).find((candidate) => candidate.path === path);
  return entry?.type === "file" ? entry.content.toString() : entry?.type;
};

describe("a machine's files", () => {
  test("are the common ones, then its own, then those of the trees above", async () => {
    await put("base/common/etc/a", "common");
    await put("base/common/etc/b", "common");
    await put("base/fw-1/etc/b", "own");
    await put("base/fw-1/etc/c", "own");
    await mkdir(join(folder, "above/fw-1/etc"), { recursive: true });
    await symlink("/dev/null", join(folder, "above/fw-1/etc/c"));
    const trees = [join(folder, "base"), join(folder, "above")];
    expect(await Promise.all(["etc/a", "etc/b", "etc/c"].map((path) => textOf(trees, "fw-1", path)))).toEqual(["common", "own", "link"]);
    expect(await Promise.all(["etc/b", "etc/c"].map((path) => textOf(trees, "fw-2", path)))).toEqual(["common", undefined]);
  });

  test("never come from outside the tree: a link is copied as a link, also one to a folder", async () => {
    await put("secret/key", "secret");
    await mkdir(join(folder, "tree/fw-1"), { recursive: true });
    await symlink("../../secret", join(folder, "tree/fw-1/etc"));
    expect(await machineTree([join(folder, "tree")], "fw-1")).toEqual([{ type: "link", path: "etc", target: "../../secret" }]);
  });

  test("that are too large, or no files at all, are refused by name", async () => {
    await put("tree/fw-1/etc/huge", "");
    await truncate(join(folder, "tree/fw-1/etc/huge"), 2 ** 31);
    await expect(machineTree([join(folder, "tree")], "fw-1")).rejects.toThrow(/etc\/huge: it has 2147483648 bytes/u);
    await rm(join(folder, "tree/fw-1/etc/huge"));
    await execa("mkfifo", [join(folder, "tree/fw-1/etc/pipe")]);
    await expect(machineTree([join(folder, "tree")], "fw-1")).rejects.toThrow(Failure);
  });

  test("arrive in the archive with owner, mode and link, and the same tree gives the same bytes", async () => {
    await put("tree/fw-1/etc/script", "#!/bin/sh\n", 0o775);
    await put("tree/fw-1/etc/plain", "x".repeat(100_000), 0o600);
    await symlink("/dev/null", join(folder, "tree/fw-1/etc/masked"));
    const entries = await machineTree([join(folder, "tree")], "fw-1");
    const archives = [join(folder, "1.tar"), join(folder, "2.tar")];
    for (const archive of archives) await writeMachineFiles(archive, entries);
    const { stdout } = await execa("tar", ["--list", "--verbose", "--numeric-owner", "--file", join(folder, "1.tar")]);
    const lines = stdout.split("\n").map((line) => line.replace(/ {2,}/gu, " "));
    expect(lines).toEqual([
      expect.stringMatching(/^drwxr-xr-x 0\/0 0 .* etc\/?$/u),
      expect.stringMatching(/^lrwxrwxrwx 0\/0 0 .* etc\/masked -> \/dev\/null$/u),
      expect.stringMatching(/^-rw-r--r-- 0\/0 100000 .* etc\/plain$/u),
      expect.stringMatching(/^-rwxr-xr-x 0\/0 10 .* etc\/script$/u),
    ]);
    await execa("cmp", archives);
  });
});

describe("the hash of a config", () => {
  test("changes with a byte, a mode, a link's target, and nothing else", async () => {
    const hash = (): Promise<string> => configHash([join(folder, "tree")], ["fw-1", "fw-2"]);
    await put("tree/fw-1/etc/a", "one");
    await symlink("/dev/null", join(folder, "tree/fw-1/etc/l"));
    const first = await hash();
    await put("tree/fw-1/etc/a", "one", 0o640);
    expect(await hash()).toBe(first);
    await put("tree/fw-1/etc/a", "two");
    const second = await hash();
    await put("tree/fw-1/etc/a", "two", 0o755);
    const third = await hash();
    await rm(join(folder, "tree/fw-1/etc/l"));
    await symlink("/dev/zero", join(folder, "tree/fw-1/etc/l"));
    expect(new Set([first, second, third, await hash()]).size).toBe(4);
  });
});
