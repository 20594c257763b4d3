import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfigFolder, parseFlows, parseJsonFile } from "./startOptions.ts";

describe("--flows", () => {
  test.each([
    ["50", 50],
    ["1", 1],
    ["1000", 1000],
    ["tcp=1000", { tcp: 1000, udp: 0, ssh: 0 }],
    ["ssh=2,udp=3", { tcp: 0, udp: 3, ssh: 2 }],
  ])("%s is understood", (text, counts) => {
    expect(parseFlows(text)).toEqual(counts);
  });

  test.each(["0", "-1", "many", "1.5", "", " 5", "tcp=", "tcp=0", "tcp=x", "icmp=1", "tcp=1=2", "tcp=1,", "1e3", "99999999"])("%j is refused", (text) => {
    expect(() => parseFlows(text)).toThrow();
  });
});

describe("paths", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fwlab-options-"));
    await writeFile(join(folder, "file"), "");
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test("the file for run.json needs a folder", () => {
    expect(parseJsonFile(join(folder, "run.json"))).toBe(join(folder, "run.json"));
    expect(() => parseJsonFile(join(folder, "none", "run.json"))).toThrow(/does not exist/u);
    expect(() => parseJsonFile(join(folder, "file", "run.json"))).toThrow(/does not exist/u);
    expect(() => parseJsonFile(folder)).toThrow(/is a folder/u);
  });

  test("a config tree is a folder that holds a machine's", async () => {
    expect(() => parseConfigFolder(folder)).toThrow(/none of the machines' folders client, fw-1, fw-2, omarine/u);
    await mkdir(join(folder, "common"));
    expect(() => parseConfigFolder(folder)).toThrow(/none of the machines' folders/u);
    await mkdir(join(folder, "fw-2"));
    expect(parseConfigFolder(folder)).toBe(folder);
    expect(() => parseConfigFolder(join(folder, "file"))).toThrow(/no such folder/u);
    expect(() => parseConfigFolder(join(folder, "none"))).toThrow(/no such folder/u);
  });
});
