import { chmod, cp, mkdtemp, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mmdebstrapArguments } from "./build.ts";
import { desktopFolder, readDesktopRecipe, readRecipe, recipeFolder, significantLines } from "./recipe.ts";

test("a list file is read without comments and blanks", () => {
  expect(significantLines("# packages\nudev  # waits\n\n  dbus\n")).toEqual(["udev", "dbus"]);
});

describe("the identity of a recipe", () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), "fwlab-recipe-")), "image");
    await cp(recipeFolder, folder, { recursive: true, verbatimSymlinks: true });
  });
  afterEach(async () => {
    await rm(join(folder, ".."), { recursive: true });
  });

  test("does not depend on where it stands", async () => {
    expect((await readRecipe(folder)).id).toBe((await readRecipe()).id);
  });

  test.each<readonly [string, (folder: string) => Promise<unknown>]>([
    ["a file's content", (at) => writeFile(join(at, "customize.sh"), "exit 0\n")],
    ["a file's permissions", (at) => chmod(join(at, "customize.sh"), 0o711)],
    ["a new file", (at) => writeFile(join(at, "root", "new"), "")],
    ["a file that is gone", (at) => unlink(join(at, "initramfs", "modules"))],
    ["a symbolic link", (at) => symlink("/dev/null", join(at, "root", "masked"))],
  ])("changes with %s", async (_, change) => {
    const { id } = await readRecipe(folder);
    await change(folder);
    expect((await readRecipe(folder)).id).not.toBe(id);
  });
});

describe("the desktop's recipe", () => {
  let parent: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "fwlab-recipe-"));
    await cp(recipeFolder, join(parent, "image"), { recursive: true, verbatimSymlinks: true });
    await cp(desktopFolder, join(parent, "desktop"), { recursive: true, verbatimSymlinks: true });
  });
  afterEach(async () => {
    await rm(parent, { recursive: true });
  });
  const read = () => readDesktopRecipe(join(parent, "desktop"), join(parent, "image"));

  test("has the lean image's packages, its own, and the kernel that has graphics instead of the other", async () => {
    const [lean, desktop] = [await readRecipe(), await readDesktopRecipe()];
    expect(desktop.packages).toEqual(expect.arrayContaining([...lean.packages.filter((name) => name !== "linux-image-cloud-amd64"), "linux-image-amd64", "xserver-xorg-video-qxl", "spice-vdagent"]));
    expect(desktop.packages).not.toContain("linux-image-cloud-amd64");
    expect(desktop.dpkgOptions).toEqual(expect.arrayContaining([...lean.dpkgOptions]));
  });

  test.each([
    ["its own", "desktop"],
    ["the lean one's", "image"],
  ])("is another when a file of %s changes", async (_, folder) => {
    const { id } = await read();
    expect((await readDesktopRecipe()).id).toBe(id);
    await writeFile(join(parent, folder, "customize.sh"), "exit 0\n");
    expect((await read()).id).not.toBe(id);
  });

  test("does not change the lean image's", async () => {
    const { id } = await readRecipe(join(parent, "image"));
    await writeFile(join(parent, "desktop", "customize.sh"), "exit 0\n");
    expect((await readRecipe(join(parent, "image"))).id).toBe(id);
  });
});

test("mmdebstrap is told the packages and dpkg's options, and no mirror unless one is given", () => {
  const recipe = { packages: ["udev", "dbus"], dpkgOptions: ["path-exclude=/usr/share/man/*"] };
  const args = mmdebstrapArguments(recipe, "/scratch", true);
  expect(args).toEqual(expect.arrayContaining(["--include=udev,dbus", "--dpkgopt=path-exclude=/usr/share/man/*"]));
  expect(args.some((arg) => arg.startsWith("--keyring="))).toBe(true);
  expect(args.slice(-2)).toEqual(["bookworm", "/scratch/root.tar"]);
  expect(mmdebstrapArguments(recipe, "/scratch", false, "http://mirror.example/debian").slice(-2)).toEqual(["/scratch/root.tar", "http://mirror.example/debian"]);
});
