import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownVersions, versionsUnderTest } from "./versions.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-versions-"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ version: "1.2.3" }));
});
afterEach(() => rm(folder, { recursive: true }));

test("of the guests' packages those under test are told; one that is only known is not", () => {
  const answer = "adduser 3.134\nconntrackd 1:1.4.7-1+b2\niptables \nkeepalived 1:2.2.7-1+b2\nkeepalived-doc 9\n";
  expect(versionsUnderTest(answer)).toEqual({ keepalived: "1:2.2.7-1+b2", conntrackd: "1:1.4.7-1+b2" });
});

test("fwlab tells its version, and its commit with whether files were changed", async () => {
  expect(await ownVersions(folder)).toEqual({ fwlab: "1.2.3" });
  const git = (...args: string[]) => execa("git", ["-c", "user.name=x", "-c", "user.email=x@example.org", ...args], { cwd: folder, stdin: "ignore" });
  await git("init", "--quiet");
  await git("add", ".");
  await git("commit", "--quiet", "--message=x");
  await git("tag", "v9");
  const { stdout: commit } = await git("rev-parse", "HEAD");
  expect(await ownVersions(folder)).toEqual({ fwlab: "1.2.3", commit });
  await writeFile(join(folder, "package.json"), JSON.stringify({ version: "1.2.4" }));
  expect(await ownVersions(folder)).toEqual({ fwlab: "1.2.4", commit: `${commit}-dirty` });
});
