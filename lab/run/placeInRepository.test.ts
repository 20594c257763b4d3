import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { placesInRepository } from "./placeInRepository.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-place-"));
  for (const path of ["repo/site/pair/fw-1/a", "repo/site/base/fw-1/a", "repo/site/base/fw-2/b", "elsewhere/fw-2/c"]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), "");
  }
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const at = (path: string): string => join(folder, path);

describe("a finding's file in the repository that is scanned", () => {
  beforeEach(() => execa("git", ["init", "--quiet", at("repo")]));

  test("is in the topmost tree that has it, or where the user's tree should have it", async () => {
    const of = await placesInRepository({ tree: at("repo/site/pair"), trees: [at("repo/site/base"), at("repo/site/pair")], policy: undefined }, ["fw-1/a", "fw-2/b", "fw-2/missing"]);
    expect(["fw-1/a", "fw-2/b", "fw-2/missing"].map(of)).toEqual(["site/pair/fw-1/a", "site/base/fw-2/b", "site/pair/fw-2/missing"]);
  });

  test("is told by its path in the tree when its tree is elsewhere", async () => {
    const of = await placesInRepository({ tree: at("repo/site/pair"), trees: [at("elsewhere"), at("repo/site/pair")], policy: undefined }, ["fw-2/c"]);
    expect(of("fw-2/c")).toBe("fw-2/c");
  });

  test("is the same when the tree is reached through a link", async () => {
    await symlink("repo/site", at("linked"));
    const of = await placesInRepository({ tree: at("linked/pair"), trees: [at("linked/pair")], policy: undefined }, ["fw-1/a"]);
    expect(of("fw-1/a")).toBe("site/pair/fw-1/a");
  });
});

test("without a repository, a file's place is that in the tree", async () => {
  const of = await placesInRepository({ tree: at("repo/site/pair"), trees: [at("repo/site/pair")], policy: undefined }, ["fw-1/a"]);
  expect(of("fw-1/a")).toBe("fw-1/a");
});
