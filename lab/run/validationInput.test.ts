import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { configHash } from "../machine/configTree.ts";
import { fixturesFolder } from "./prepare.ts";
import { knownBases, readInput } from "./validationInput.ts";

const reference = join(fixturesFolder, "omarine-snat");
const names = ["client", "fw-1", "fw-2", "omarine"];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-input-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function refusal(tree: string, base?: string): Promise<string> {
  const thrown: unknown = await readInput({ tree, base, from: folder }).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(Failure);
  expect((thrown as Failure).exit).toBe(2);
  expect((thrown as Failure).message).not.toMatch(/\p{Cc}/u);
  return (thrown as Failure).message;
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), text);
}

describe("what is validated", () => {
  test("is a whole tree as it stands", async () => {
    await cp(reference, join(folder, "mine"), { recursive: true, verbatimSymlinks: true });
    const input = await readInput({ tree: "mine", from: folder });
    expect(input).toMatchObject({ tree: join(folder, "mine"), trees: [join(folder, "mine")], base: undefined, policy: undefined, promises: { topology: "primary-backup" } });
    expect(input.sha256).toBe(await configHash([reference], names));
  });

  test("is the base with what differs laid over it, by the base's name or its folder", async () => {
    await put("mine/fw-2/etc/keepalived/keepalived.conf", "! mine\n");
    for (const base of ["omarine-snat", reference]) {
      const input = await readInput({ tree: "mine", base, from: folder });
      expect(input.trees).toEqual([reference, join(folder, "mine")]);
      expect(input.sha256).toBe(await configHash([reference, join(folder, "mine")], names));
      expect(input.machines.get("fw-2")?.find(({ path }) => path === "etc/keepalived/keepalived.conf")).toMatchObject({ content: Buffer.from("! mine\n") });
    }
  });

  test("promises what the topmost fwlab.json says", async () => {
    await put("mine/fw-2/etc/x", "");
    await put("mine/fwlab.json", '{ "flows": ["ssh"] }');
    expect((await readInput({ tree: "mine", base: "omarine-snat", from: folder })).promises.flows).toEqual(["ssh"]);
    expect((await readInput({ tree: reference, from: folder })).promises.flows).toContain("udp");
  });

  test("may have a Firewall Builder file at its top, one", async () => {
    await put("mine/policy.fwb", "<FWObjectDatabase/>");
    expect((await readInput({ tree: "mine", base: "omarine-snat", from: folder })).policy).toBe(join(folder, "mine/policy.fwb"));
    await put("mine/old.fwb", "<FWObjectDatabase/>");
    expect(await refusal("mine", "omarine-snat")).toContain("old.fwb, policy.fwb");
  });
});

describe("refused in one line is", () => {
  test("a folder that is not there, a file, an empty folder, a folder without any machine's", async () => {
    expect(await refusal("nowhere")).toContain("there is no such folder");
    await put("file", "x");
    expect(await refusal("file")).toContain("it is no folder");
    expect(await refusal("file/below")).toMatch(/ENOTDIR|no such folder/u);
    await mkdir(join(folder, "empty"));
    expect(await refusal("empty")).toContain("it is empty");
    await put("other/src/main.c", "x");
    expect(await refusal("other")).toContain("it holds src, and none of the machines' folders client, fw-1, fw-2, omarine");
  });

  test("a tree without fw-2, or with an empty one, and what is there is told; with a base that has one it is fine", async () => {
    await put("mine/fw-1/etc/nftables.conf", "");
    await put("mine/client/etc/x", "");
    await put("mine/fw2/etc/nftables.conf", "");
    expect(await refusal("mine")).toMatch(/it has no files for fw-2, only client, fw-1, fw2\. .*--base/u);
    await mkdir(join(folder, "mine/fw-2"));
    expect(await refusal("mine")).toContain("it has no files for fw-2");
    await put("half/fw-1/etc/x", "");
    expect(await refusal("mine", "half")).toContain("it has no files for fw-2");
    await expect(readInput({ tree: "mine", base: "omarine-snat", from: folder })).resolves.toBeDefined();
  });

  test("an unknown base, with the names that are known", async () => {
    await put("mine/fw-1/etc/x", "");
    expect(await knownBases()).toContain("omarine-snat");
    expect(await refusal("mine", "omarine-snta")).toMatch(/neither the name of a reference tree nor a folder\. Name one of .*omarine-snat/u);
    expect(await refusal("mine", "mine/fw-1/etc/x")).toContain("neither the name");
  });

  test("a base that is as bad as a tree can be", async () => {
    await put("mine/fw-1/etc/x", "");
    await mkdir(join(folder, "base"));
    await symlink(reference, join(folder, "base/fw-1"));
    expect(await refusal("mine", "base")).toContain("base/fw-1: it is a symbolic link");
  });

  test("a fwlab.json that is a pipe (which would be waited for), a link, too large, of another form, or for an unknown topology", async () => {
    await put("mine/fw-1/etc/x", "");
    await execa("mkfifo", [join(folder, "mine/fwlab.json")]);
    expect(await refusal("mine", "omarine-snat")).toContain("fwlab.json: it is no plain file");
    await rm(join(folder, "mine/fwlab.json"));
    await symlink("/etc/passwd", join(folder, "mine/fwlab.json"));
    expect(await refusal("mine", "omarine-snat")).toContain("fwlab.json: it is no plain file");
    await rm(join(folder, "mine/fwlab.json"));
    await put("mine/fwlab.json", " ".repeat(100_000));
    expect(await refusal("mine", "omarine-snat")).toContain("100000 bytes");
    await put("mine/fwlab.json", '{ "flows": [] }');
    expect(await refusal("mine", "omarine-snat")).toContain("flows");
    await put("mine/fwlab.json", '{ "topology": "ring" }');
    expect(await refusal("mine", "omarine-snat")).toContain("topology");
  });
});
