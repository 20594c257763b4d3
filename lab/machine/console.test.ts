import { readFileSync } from "node:fs";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConsoleFollower, fatalLine, lastLines, stageOf } from "./console.ts";

const recorded = (name: string): string => readFileSync(new URL(`recorded/${name}`, import.meta.url), "latin1");
const whole = recorded("console-ready.txt");

describe("the stage of a boot", () => {
  test("grows with what the console has said", () => {
    const upTo = (mark: string): string => whole.slice(0, whole.indexOf(mark));
    expect([upTo("Booting from ROM"), upTo("fwlab: first process"), upTo("fwlab: root mounted"), upTo("fwlab: ready"), whole].map(stageOf)).toEqual([
      "power on",
      "kernel",
      "initramfs",
      "root mounted",
      "ready",
    ]);
  });
});

describe("a boot that cannot go on", () => {
  test("is known by the initramfs giving up", () => {
    expect(fatalLine(recorded("console-unpack-failed.txt"))).toBe("fwlab: boot failed: the machine's files on /dev/vdb do not unpack");
  });

  test("is known by the kernel's panic", () => {
    expect(fatalLine(recorded("console-panic.txt"))).toMatch(/Kernel panic - not syncing: VFS: Unable to mount root fs/u);
  });

  test("is no boot that ends well", () => {
    expect(fatalLine(whole)).toBeUndefined();
  });
});

describe("the last lines", () => {
  test("are without the terminal's escapes and without empty lines", () => {
    const lines = lastLines(whole, 3);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/^fwlab: ready after [\d.]+ s$/u);
    expect(lastLines(whole, 100).join("")).not.toContain("\u001b");
  });
});

describe("following a console's file", () => {
  test("waits for it to appear, and reads what is new each time", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fwlab-console-"));
    try {
      await using follower = new ConsoleFollower(join(folder, "console.log"));
      expect(await follower.poll()).toBe(0);
      await appendFile(follower.path, "one\n");
      expect(await follower.poll()).toBe(4);
      await appendFile(follower.path, "two\n");
      expect([await follower.poll(), await follower.poll(), follower.text]).toEqual([4, 0, "one\ntwo\n"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
