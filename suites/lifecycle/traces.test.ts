import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "./folders.ts";
import { Traces } from "./traces.ts";

/** What finds nothing left must find what is left: the control of every other test here. */
describe("what is left on purpose is seen, until it is gone", () => {
  const folder = temporaryFolder();
  let traces: Traces;
  let cache: string;
  let temporary: string;
  beforeEach(async () => {
    cache = join(folder(), "cache");
    temporary = join(folder(), "temporary");
    await mkdir(join(cache, "lab"), { recursive: true });
    await mkdir(temporary, { recursive: true });
    traces = Traces.begin({ cache, temporary });
    expect(traces.leftovers()).toEqual([]);
  });

  function seen(thing: RegExp) {
    return expect.poll(() => traces.leftovers(), { timeout: 5_000 }).toEqual([expect.stringMatching(thing)]);
  }

  function gone() {
    return expect.poll(() => traces.leftovers(), { timeout: 5_000 }).toEqual([]);
  }

  test("a process", async () => {
    const left = execa("sleep", ["600"], { env: traces.environment, reject: false });
    await seen(/^process \d+ \(sleep 600\) in our namespaces$/u);
    left.kill("SIGKILL");
    await left;
    await gone();
  });

  test.each(["net", "mount", "pid"])("a process without the mark in a %s namespace that a marked one was in", async (kind) => {
    const script = "read line; exec env -i sleep 600";
    const left = execa("unshare", [`--${kind}`, "--fork", "sh", "-c", script], { env: traces.environment, reject: false, stdio: ["pipe", "ignore", "ignore"] });
    await expect.poll(() => traces.look().some(({ command }) => command[0] === "sh")).toBe(true);
    left.stdin.write("shed the mark\n");
    await expect.poll(() => traces.leftovers().filter((line) => line.includes("(sleep 600)"))).toHaveLength(1);
    left.kill("SIGKILL");
    await left;
    const [line] = traces.leftovers();
    expect(traces.leftovers()).toEqual([expect.stringMatching(/^process \d+ \(sleep 600\) in (?:net|mnt|pid):\[\d+\]$/u)]);
    process.kill(Number(line?.split(" ")[1]), "SIGKILL");
    await gone();
  });

  test("a mount", async () => {
    const point = join(cache, "lab");
    await execa("mount", ["-t", "tmpfs", "left", point]);
    await seen(new RegExp(`^mount \\d+ on ${point}$`, "u"));
    await execa("umount", [point]);
    await gone();
  });

  test.each(["bridge", "tap"])("a %s", async (kind) => {
    const commands = { bridge: ["link", "add", "left", "type", "bridge"], tap: ["tuntap", "add", "dev", "left", "mode", "tap"] };
    await execa("ip", commands[kind as keyof typeof commands]);
    await seen(/^link left$/u);
    await execa("ip", ["link", "del", "left"]);
    await gone();
  });

  test.each(["cache/lab/left", "cache/images", "cache/.left", "temporary/fwlab-left"])("a file: %s", async (name) => {
    const file = join(folder(), name === "cache/images" ? "cache/images/.unfinished-1" : name);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, "");
    await seen(new RegExp(`^file ${file.replaceAll(".", "\\.")}$`, "u"));
    await rm(file);
    await gone();
  });
});
