import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parsePatch } from "diff";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { applyAlteration } from "./applied.ts";

let folder: string;
let base: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-applied-"));
  base = join(folder, "base");
  await put("fw-1/etc/a.conf", "one\ntwo\nthree\nfour\nfive\n");
  await put("fw-1/etc/no-end", "last line");
  await put("fw-1/etc/script", "#!/bin/sh\n", 0o755);
  await put("fw-2/etc/only/file", "");
  await mkdir(join(base, "fw-2/etc/wants"));
  await symlink("../x.service", join(base, "fw-2/etc/wants/x.service"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function put(path: string, text: string, mode = 0o644, tree = base): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text);
  await chmod(join(tree, path), mode);
}

const git = async (...args: string[]): Promise<string> => (await execa("git", ["-c", "core.fileMode=true", "-c", "core.quotePath=true", ...args], { cwd: folder, reject: false, stripFinalNewline: false })).stdout;

/** What git says of two folders, with the paths that a diff within a tree has. */
async function difference(after: string): Promise<string> {
  const text = await git("diff", "--no-index", "--no-renames", "--no-color", "base", after);
  return text.replaceAll("a/base/", "a/").replaceAll(`b/${after}/`, "b/").replaceAll("a/" + after + "/", "a/").replaceAll("b/base/", "b/");
}

const apply = (patch: string, into = "copy"): Promise<void> => applyAlteration({ name: "x", kind: "mutant", base: "base", patches: parsePatch(patch) }, base, join(folder, into));

describe("a patch of git's", () => {
  test("gives the tree that it was made from: contents, modes, links, new and deleted files, odd names, ends without a line break", async () => {
    const after = join(folder, "after");
    await cp(base, after, { recursive: true, verbatimSymlinks: true });
    await put("fw-1/etc/a.conf", "one\nTWO\nthree\nfour\nfive\nsix\n", 0o755, after);
    await put("fw-1/etc/no-end", "another last line", 0o644, after);
    await chmod(join(after, "fw-1/etc/script"), 0o644);
    await rm(join(after, "fw-2/etc/only"), { recursive: true });
    await rm(join(after, "fw-2/etc/wants/x.service"));
    await symlink("/dev/null", join(after, "fw-2/etc/wants/x.service"));
    await symlink("../new.service", join(after, "fw-2/etc/wants/new.service"));
    await put("fw-2/etc/new folder/naïve name", "new\n", 0o755, after);
    await put("fw-2/etc/empty", "", 0o644, after);
    // A file becomes a link.
    await rm(join(after, "fw-1/etc/no-end"));
    await symlink("a.conf", join(after, "fw-1/etc/no-end"));
    const patch = await difference("after");
    expect(patch).toContain("old mode 100755");
    await apply(patch);
    expect(await git("diff", "--no-index", "--stat", "after", "copy")).toBe("");
    await expect(lstat(join(folder, "copy/fw-2/etc/only"))).rejects.toThrow("ENOENT");
    expect((await lstat(join(folder, "copy/fw-2/etc/wants/x.service"))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(base, "fw-1/etc/a.conf"), "utf8")).toBe("one\ntwo\nthree\nfour\nfive\n");
  });

  const patchOf = (name: string, body: string, extended = "index 1..2 100644\n"): string => `diff --git a/${name} b/${name}\n${extended}--- a/${name}\n+++ b/${name}\n${body}`;
  test.each([
    ["lines that are not there", patchOf("fw-1/etc/a.conf", "@@ -1,2 +1,2 @@\n one\n-zwei\n+two\n"), /a\.conf: the lines that it changes are not there/u],
    ["lines that are there but for a blank", patchOf("fw-1/etc/a.conf", "@@ -1,2 +1,2 @@\n one\n-two \n+2\n"), /are not there/u],
    ["a file that is not there", patchOf("fw-1/etc/b.conf", "@@ -1 +1 @@\n-a\n+b\n"), /b\.conf: there is no such file/u],
    ["a new file that is there already", "diff --git a/fw-1/etc/a.conf b/fw-1/etc/a.conf\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/fw-1/etc/a.conf\n@@ -0,0 +1 @@\n+x\n", /is there already/u],
    ["another mode than the file's", "diff --git a/fw-1/etc/a.conf b/fw-1/etc/a.conf\nold mode 100755\nnew mode 100644\n", /its mode is 100644, not 100755/u],
    ["a file deleted by half", "diff --git a/fw-1/etc/a.conf b/fw-1/etc/a.conf\ndeleted file mode 100644\nindex 1..0\n--- a/fw-1/etc/a.conf\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n", /holds more than the patch says/u],
    ["a path that leads out of the tree", patchOf("../outside", "@@ -1 +1 @@\n-a\n+b\n"), /is no file of a tree/u],
    ["a path that leads out by a way round", patchOf("fw-1/../../outside", "@@ -1 +1 @@\n-a\n+b\n"), /is no file of a tree/u],
    ["a new file outside", "diff --git a//tmp/x b//tmp/x\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b//tmp/x\n@@ -0,0 +1 @@\n+x\n", /is no file of a tree/u],
    ["a rename", "diff --git a/fw-1/etc/a.conf b/fw-1/etc/c.conf\nsimilarity index 100%\nrename from fw-1/etc/a.conf\nrename to fw-1/etc/c.conf\n", /renamed or copied/u],
    ["a binary change", "diff --git a/fw-1/etc/a.conf b/fw-1/etc/a.conf\nindex 1..2 100644\nBinary files a/fw-1/etc/a.conf and b/fw-1/etc/a.conf differ\n", /binary change/u],
  ])("with %s is refused in one line", async (_, patch, line) => {
    const thrown: unknown = await apply(patch).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Failure);
    expect((thrown as Failure).message).toMatch(line);
    expect((thrown as Failure).message).not.toContain("\n");
  });

  test("does not write through a link of the tree", async () => {
    await symlink("/tmp", join(base, "fw-1/out"));
    await expect(apply("diff --git a/fw-1/out/x b/fw-1/out/x\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/fw-1/out/x\n@@ -0,0 +1 @@\n+x\n")).rejects.toThrow(/leads through a link/u);
  });
});
