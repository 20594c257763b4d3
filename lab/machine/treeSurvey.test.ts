import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compile } from "../compiled.rig.ts";
import { Failure } from "../failure/failure.ts";
import { surveyTree, type TreeBounds } from "./treeSurvey.ts";

const machines = ["client", "fw-1", "fw-2", "omarine"];
let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), "fwlab-survey-"));
  await put("fw-1/etc/nftables.conf", "table inet filter {}\n");
});
afterEach(async () => {
  await rm(tree, { recursive: true });
});

async function put(path: string, content: string | Buffer): Promise<string> {
  const file = join(tree, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await symlink(target, join(tree, path));
}

/** The line that a user gets, which is one and names what is wrong. */
async function refusal(bounds?: TreeBounds): Promise<string> {
  const thrown: unknown = await surveyTree(tree, machines, bounds).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Failure);
  const { message, exit } = thrown as Failure;
  expect(exit).toBe(2);
  expect(message).not.toMatch(/\p{Cc}/u);
  return message;
}

describe("a tree is refused", () => {
  test.each([
    ["fw-2/etc/shadow", "../../../etc/shadow"],
    ["fw-2/etc/systemd/x", "../../../common/etc/x"],
    ["fw-2/etc", "../fw-1/etc"],
    ["fw-2/etc/x", "/../etc/x"],
    ["fw-2/etc/x", "sub/../../../x"],
    ["common/etc/x", "..//./../x"],
  ])("when its link %s leads above the guest's root: %s", async (path, target) => {
    await link(path, target);
    expect(await refusal()).toContain(`${path}: it is a symbolic link to ${target}`);
  });

  test("when a link names the tree by its place on this host", async () => {
    await link("fw-2/etc/nftables.conf", join(tree, "fw-1/etc/nftables.conf"));
    expect(await refusal()).toContain("a path of this host");
  });

  test.each([["fw-2"], ["common"], ["client"]])("when %s is a link, wherever it leads, and nothing behind it is looked at", async (name) => {
    await symlink("fw-1", join(tree, name));
    expect(await refusal()).toContain(`${name}: it is a symbolic link, to "fw-1"`);
    await rm(join(tree, name));
    await symlink("nowhere", join(tree, name));
    expect(await refusal()).toContain(`${name}: it is a symbolic link`);
  });

  test("when a machine's folder is a file", async () => {
    await put("fw-2", "text");
    expect(await refusal()).toContain("fw-2: it is no folder");
  });

  test("when a file has 2 GB, which are not read", async () => {
    await truncate(await put("fw-1/etc/huge", ""), 2 ** 31);
    const begin = performance.now();
    expect(await refusal()).toContain("etc/huge: it has 2147483648 bytes");
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  test("when its files are too large together, or too many, counted over all its parts", async () => {
    await put("fw-2/etc/a", Buffer.alloc(600));
    await put("common/etc/b", Buffer.alloc(600));
    expect(await refusal({ entries: 100, bytes: 1_000 })).toContain("more than 1000 bytes together");
    expect(await refusal({ entries: 4, bytes: 10_000 })).toContain("more than 4 files and folders");
    await expect(surveyTree(tree, machines, { entries: 7, bytes: 10_000 })).resolves.toBeUndefined();
  });

  test("when a configuration that is due as text holds a NUL; other binaries are welcome", async () => {
    await put("fw-1/usr/local/sbin/tool", Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0]));
    await expect(surveyTree(tree, machines)).resolves.toBeUndefined();
    await put("fw-1/etc/keepalived/keepalived.conf", Buffer.from("global_defs {\u0000}"));
    expect(await refusal()).toContain("keepalived.conf: it is binary, with a NUL at byte 13");
  });

  test("when it holds a pipe, a socket or a device", async () => {
    await mkdir(join(tree, "fw-2/run"), { recursive: true });
    await execa("mkfifo", [join(tree, "fw-2/run/pipe")]);
    expect(await refusal()).toContain("run/pipe: it is a pipe");
    await rm(join(tree, "fw-2/run/pipe"));
    await using server = createServer();
    await new Promise<void>((resolve) => server.listen(join(tree, "fw-2/run/s"), resolve));
    expect(await refusal()).toContain("run/s: it is a socket");
  });

  test.runIf(process.getuid?.() === 0)("when it holds a device (which only root can make)", async ({ skip }) => {
    await mkdir(join(tree, "fw-2/dev"), { recursive: true });
    const { exitCode } = await execa("mknod", [join(tree, "fw-2/dev/null"), "c", "1", "3"], { reject: false });
    skip(exitCode !== 0, "this root may make no devices");
    expect(await refusal()).toContain("dev/null: it is a device");
  });

  test.each([["line\nbreak"], ["bell\u0007"], ["escape\u001b[31m"]])("when a name has a control character: %j", async (name) => {
    await put(`fw-1/etc/${name}`, "x");
    expect(await refusal()).toContain("its name has a control character");
  });

  test("when a name is not UTF-8", async () => {
    await writeFile(Buffer.concat([Buffer.from(`${tree}/fw-1/etc/caf`), Buffer.from([0xe9])]), "x");
    expect(await refusal()).toContain("its name is not UTF-8");
  });

  test("when something of it may not be read: also by a root who has no right to read everything", async () => {
    const program = join(tree, "survey.ts");
    await writeFile(
      program,
      `import { surveyTree } from ${JSON.stringify(fileURLToPath(new URL("treeSurvey.ts", import.meta.url)))};
       surveyTree(${JSON.stringify(tree)}, ["fw-1", "fw-2"]).then(() => console.log("fine"), (error) => console.log(error.exit, error.message));`,
    );
    await using compiled = await compile(program);
    // Root reads whatever modes say, unless these capabilities are taken from it.
    const plain = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"] : [];
    const say = async (): Promise<string> => (await execa("env", [...plain, process.execPath, compiled.path])).stdout;
    expect(await say()).toBe("fine");
    const secret = await put("fw-2/etc/secret.conf", "x");
    await chmod(secret, 0o000);
    expect(await say()).toMatch(/^2 .*secret\.conf: it may not be read by this user \(EACCES/u);
    await chmod(secret, 0o644);
    await chmod(dirname(secret), 0o000);
    expect(await say()).toMatch(/^2 .*fw-2\/etc: it may not be read by this user/u);
    await chmod(dirname(secret), 0o755);
  });
});

test("a tree may hold what administrators write: masks, *.wants links, links between its own files, dangling ones too", async () => {
  await link("fw-1/etc/systemd/system/apt.service", "/dev/null");
  await link("fw-1/etc/systemd/system/multi-user.target.wants/x.service", "../x.service");
  await link("fw-1/etc/systemd/system/multi-user.target.wants/y.service", "/lib/systemd/system/y.service");
  await link("fw-1/etc/alternatives/x", "../../usr/sbin/x");
  await link("fw-1/etc/keepalived/k.conf", "../nftables.conf");
  await put("fw-1/etc/systemd/system/dev-disk-by\\x2duuid.mount", "[Unit]\n");
  await put("README.md", "no part of it");
  await expect(surveyTree(tree, machines)).resolves.toBeUndefined();
});
