import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildFailure, stageOf } from "./buildOutput.ts";

/** Lines of builds as they were seen; mirrors have other names, the cache is /cache. */
function recorded(name: string): string[] {
  return readFileSync(new URL(`recorded/${name}.txt`, import.meta.url), "utf8").trimEnd().split("\n");
}

test.each([
  ["no-network", /^no network: security\.mirror\.example cannot be reached$/u, /FWLAB_MIRROR/u],
  ["unknown-package", /^Debian 12 has no package no-such-package-fwlab$/u, /fixtures\/image\/packages/u],
  ["cache-full", /^no space left in the cache folder \/cache$/u, /FWLAB_CACHE/u],
  ["memory-full", /^no space left in the build's memory/u, /FWLAB_CACHE/u],
])("%s is told apart", (name, seen, remedy) => {
  const lines = recorded(name);
  const failure = buildFailure({ lines, end: "exit code 1", cache: "/cache" });
  expect(failure).toMatchObject({ exit: 2, tried: "build the guest image" });
  expect(failure.seen).toMatch(seen);
  expect(failure.remedy).toMatch(remedy);
  expect(failure.details).toEqual(lines.slice(-20));
  expect(failure.message).not.toContain("\n");
});

test.each([
  [["newuidmap: uid range [1-65536) -> [100000-165536) not allowed"], /subordinate user ids/u],
  [["unshare: unshare failed: Operation not permitted"], /namespaces/u],
  [["Err:1 http://mirror.example/debian bookworm InRelease", "  Could not connect to mirror.example:80 (10.0.0.1). - connect (111: Connection refused)"], /no network: mirror\.example:80/u],
  [["W: GPG error: http://mirror.example bookworm InRelease: NO_PUBKEY 0E98404D386FA1D9"], /signature/u],
  [["E: The repository 'http://mirror.example/debian bookworm Release' does not have a Release file."], /lacks what is asked of it: http:\/\/mirror\.example/u],
])("%j is told apart", (lines, seen) => {
  expect(buildFailure({ lines, end: "exit code 1", cache: "/cache" }).seen).toMatch(seen);
});

test("what nobody foresaw is told by its end and its last error line", () => {
  const lines = ["fwlab: packages", "sh: 1: mmdebstrap: not found", "one more line"];
  expect(buildFailure({ lines, end: "exit code 127", cache: "/cache" }).seen).toBe("exit code 127: sh: 1: mmdebstrap: not found");
  expect(buildFailure({ lines: [], end: "ended by SIGKILL", cache: "/cache" }).seen).toBe("ended by SIGKILL: nothing was printed");
});

test("the stages of a build, in their order", () => {
  const stages = recorded("cache-full").flatMap((line) => stageOf(line) ?? []);
  expect(stages).toEqual([
    "fetching the package lists",
    "downloading packages",
    "unpacking the base system",
    "installing the base system",
    "installing packages",
    "trimming the root and packing the initrd",
    "cleaning up",
    "writing the root",
    "squashfs",
    "storing the image in the cache",
  ]);
});
