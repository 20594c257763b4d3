import { lstat, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashOfTrees, machineTrees } from "./configTree.ts";
import { inspectKeptConfig, keepConfig } from "./keptConfig.ts";

const fixturesFolder = fileURLToPath(new URL("../../fixtures", import.meta.url));
const names = ["client", "fw-1", "fw-2", "omarine"];
let bundle: string;
beforeEach(async () => {
  bundle = await mkdtemp(join(tmpdir(), "fwlab-kept-"));
});
afterEach(() => rm(bundle, { recursive: true }));

const reference = () => machineTrees([join(fixturesFolder, "omarine-snat"), join(fixturesFolder, "controls", "no-conntrackd")], names);

test("what the machines got is kept with bytes, modes and links, and its hash is the merged trees'", async () => {
  const machines = await reference();
  await keepConfig(bundle, machines);
  const kept = (path: string) => join(bundle, "config", path);
  expect(await readFile(kept("fw-1/etc/keepalived/keepalived.conf"))).toEqual(await readFile(join(fixturesFolder, "omarine-snat/fw-1/etc/keepalived/keepalived.conf")));
  expect((await stat(kept("fw-1/etc/keepalived/notify"))).mode & 0o777).toBe(0o755);
  expect((await stat(kept("fw-1/etc/nftables.conf"))).mode & 0o777).toBe(0o644);
  // The control's link, over the tree's own file.
  expect(await readlink(kept("fw-1/etc/systemd/system/conntrackd.service"))).toBe("/dev/null");
  expect(await stat(kept("omarine/etc/sysctl.d/60-no-ipv6.conf"))).toBeDefined();
  expect(await inspectKeptConfig(bundle, names, hashOfTrees(machines))).toEqual({ state: "same" });
  // It is a config tree itself, of the same content.
  expect(await machineTrees([join(bundle, "config")], names)).toEqual(machines);
});

test("a changed byte, a file more, and no tree at all are told apart", async () => {
  const machines = await reference();
  const sha256 = hashOfTrees(machines);
  expect(await inspectKeptConfig(bundle, names, sha256)).toEqual({ state: "none" });
  await keepConfig(bundle, machines);
  await writeFile(join(bundle, "config/fw-2/etc/nftables.conf"), "table ip nothing {}");
  const { state, ...rest } = await inspectKeptConfig(bundle, names, sha256);
  expect([state, rest]).toEqual(["other", { sha256: expect.stringMatching(/^[0-9a-f]{64}$/u) as string }]);
});

test("a private key is withheld, and listed", async () => {
  const tree = join(bundle, "tree");
  await mkdir(join(tree, "fw-1/etc"), { recursive: true });
  for (const label of ["OPENSSH ", "RSA ", "", "ENCRYPTED "]) await writeFile(join(tree, `fw-1/etc/${label.trim()}key`), `x\n-----BEGIN ${label}PRIVATE KEY-----\nsecret\n`);
  await writeFile(join(tree, "fw-1/etc/key.pub"), "-----BEGIN PUBLIC KEY-----\n");
  const machines = await machineTrees([tree], names);
  await keepConfig(bundle, machines);
  await expect(lstat(join(bundle, "config/fw-1/etc/key"))).rejects.toThrow("ENOENT");
  expect(await readFile(join(bundle, "config/fw-1/etc/key.pub"), "utf8")).toContain("PUBLIC");
  expect(await inspectKeptConfig(bundle, names, hashOfTrees(machines))).toEqual({
    state: "withheld",
    files: ["ENCRYPTEDkey", "OPENSSHkey", "RSAkey", "key"].map((name) => `fw-1/etc/${name}: it holds a private key`),
  });
});

test("a link in the place of a folder is refused: nothing is ever written through it", async () => {
  const trees = [join(bundle, "lower"), join(bundle, "upper")] as const;
  await mkdir(join(trees[0], "fw-1/etc"), { recursive: true });
  await mkdir(join(trees[1], "fw-1"), { recursive: true });
  await writeFile(join(trees[0], "fw-1/etc/passwd"), "");
  await symlink("/tmp", join(trees[1], "fw-1/etc"));
  await expect(machineTrees(trees, names)).rejects.toThrow(/etc is a link in one of them, and holds etc\/passwd in another/u);
});

test("where it cannot be written, that is told", async () => {
  await writeFile(join(bundle, "config"), "");
  await expect(keepConfig(bundle, await reference())).rejects.toThrow(/keep the config tree in .*config: /u);
});
