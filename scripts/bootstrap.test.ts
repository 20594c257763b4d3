import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type Options } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const bootstrap = fileURLToPath(new URL("bootstrap.mjs", import.meta.url));
const lock = { packages: { "": {}, "node_modules/tsx": { version: "1.0.0" }, "node_modules/other-system": { version: "1.0.0", optional: true } } };
/** Stands in for npm: says that it ran, and installs a tsx that ends the process with code 5. */
const npm = `
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
appendFileSync("npm-runs", process.argv.slice(2).join(" ") + "\\n");
if (process.env.NPM_FAILS) { console.error("npm error code ENOTFOUND"); process.exit(1); }
await new Promise((resolve) => setTimeout(resolve, 200));
mkdirSync("node_modules/tsx", { recursive: true });
writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages: { "node_modules/tsx": { version: "1.0.0" } } }));
writeFileSync("node_modules/tsx/package.json", JSON.stringify({ type: "module", exports: "./index.js" }));
writeFileSync("node_modules/tsx/index.js", "console.log('fwlab runs:', ...process.argv.slice(2)); process.exit(5);");
`;

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "fwlab-clone-"));
  await mkdir(join(clone, "scripts"));
  await mkdir(join(clone, "lab", "host"), { recursive: true });
  await cp(bootstrap, join(clone, "scripts", "bootstrap.mjs"));
  await writeFile(join(clone, "package-lock.json"), JSON.stringify(lock));
  await writeFile(join(clone, "npm.mjs"), npm);
  await needPrograms({});
});
afterEach(async () => {
  await rm(clone, { recursive: true });
});

async function needPrograms(everyone: Record<string, string>, tests: Record<string, string[]> = {}): Promise<void> {
  await writeFile(join(clone, "lab", "host", "programs.json"), JSON.stringify({ everyone, ordinaryUser: {}, files: {}, tests }));
}

function run(options: Options = {}, nodeOptions: readonly string[] = [], verb = "start") {
  return execa(process.execPath, [...nodeOptions, join(clone, "scripts", "bootstrap.mjs"), verb, "--flows", "3"], {
    reject: false,
    stdin: "ignore",
    ...options,
    env: { npm_execpath: join(clone, "npm.mjs"), ...options.env },
  });
}

describe("npm's packages", () => {
  test("are installed with the lock file when they are missing, said in one line; then the verb runs and its exit code comes out", async () => {
    const { exitCode, stdout } = await run();
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/^npm packages: npm ci …\nnpm packages: npm ci: \d+\.\d s\nfwlab runs: start --flows 3$/u);
    expect(await readFile(join(clone, "npm-runs"), "utf8")).toBe("ci --ignore-scripts --no-audit --no-fund\n");
  });

  test("are left alone when they are there, installed by us or by hand", async () => {
    await run();
    expect((await run()).stdout).toBe("fwlab runs: start --flows 3");
    await rm(join(clone, "node_modules", ".fwlab-lock-sha256"));
    expect((await run()).stdout).toBe("fwlab runs: start --flows 3");
  });

  test("are installed anew when the lock file asks for others", async () => {
    await run();
    await writeFile(join(clone, "package-lock.json"), JSON.stringify({ packages: { "node_modules/tsx": { version: "2.0.0" } } }));
    const { exitCode, stdout, stderr } = await run();
    expect(stdout).toContain("npm packages: npm ci");
    // The stand-in installs the old version again.
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining("is not what package-lock.json asks for") as string });
  });

  test("are installed once by two commands at once", async () => {
    const both = await Promise.all([run(), run()]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([5, 5]);
    expect((await readFile(join(clone, "npm-runs"), "utf8")).trim().split("\n")).toHaveLength(1);
  });

  test("that cannot be installed end with npm's last lines and exit code 2", async () => {
    const { exitCode, stderr } = await run({ env: { NPM_FAILS: "1" } });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^fwlab: npm packages: npm ci: ended with exit code 1 after .*\n {2}npm error code ENOTFOUND$/u);
  });
});

test("an old Node is told so", async () => {
  const pretend = `data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });`;
  const { exitCode, stderr } = await run({}, ["--import", pretend]);
  expect(exitCode).toBe(2);
  expect(stderr).toBe("fwlab: Node 18.20.4 is too old: fwlab needs Node 20.19 or newer. Install it (https://nodejs.org) and try again.");
});

describe("the host's programs", () => {
  test("that are missing where there is no apt-get are named", async () => {
    await run();
    await needPrograms({ "fwlab-no-such-program": "fwlab-no-such-package" });
    const { exitCode, stderr } = await run({ env: { PATH: join(clone, "nothing") } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("fwlab-no-such-package hold, and has no apt-get");
  });

  test.skipIf(process.getuid?.() === 0)("that this user may not install end with the one line to run (root installs)", async () => {
    await run();
    await needPrograms({ "fwlab-no-such-program": "fwlab-no-such-package" });
    await writeFile(join(clone, "apt-get"), "");
    await chmod(join(clone, "apt-get"), 0o755);
    const { exitCode, stderr } = await run({ env: { PATH: clone } });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/Run: sudo apt-get install -y --no-install-recommends fwlab-no-such-package$/u);
  });

  test.skipIf(process.getuid?.() !== 0)("that are missing are installed by root (an ordinary user is told how)", async () => {
    await run();
    await needPrograms({ "fwlab-no-such-program": "fwlab-no-such-package" });
    const apt = `#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >>${clone}/apt-runs\n`;
    await writeFile(join(clone, "apt-get"), apt);
    await chmod(join(clone, "apt-get"), 0o755);
    const { exitCode, stdout } = await run({ env: { PATH: `${clone}:${process.env["PATH"] ?? ""}` } });
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/host programs: apt-get update: .* s\n[^]*fwlab-no-such-package: .* s\n/u);
    expect((await readFile(join(clone, "apt-runs"), "utf8")).split("\n")[1]).toMatch(/^noninteractive install -y --no-install-recommends fwlab-no-such-package/u);
  });

  test("that only tests need are looked for by `test` alone, any of several will do, and without them the tests run all the same", async () => {
    await run();
    await needPrograms({}, { "fwlab-no-such-package": ["fwlab-no-such-program", "fwlab-other-program"] });
    // There is setpriv, and no apt-get.
    await mkdir(join(clone, "bin"));
    await symlink("/usr/bin/setpriv", join(clone, "bin", "setpriv"));
    const nowhere = { env: { PATH: join(clone, "bin") } };
    expect((await run(nowhere)).stdout).not.toContain("fwlab-no-such-package");
    const tested = await run(nowhere, [], "test");
    expect({ stdout: tested.stdout, exitCode: tested.exitCode }).toEqual({ stdout: expect.stringMatching(/^tests: fwlab-no-such-package is missing and cannot be installed.*\nfwlab runs: test --flows 3$/u) as string, exitCode: 5 });
    await writeFile(join(clone, "fwlab-other-program"), "", { mode: 0o755 });
    expect((await run({ env: { PATH: `${clone}:${process.env["PATH"] ?? ""}` } }, [], "test")).stdout).toBe("fwlab runs: test --flows 3");
  });

  test.skipIf(process.getuid?.() !== 0)("that only tests need and that cannot be installed are told, and the tests run", async () => {
    await run();
    await needPrograms({}, { "fwlab-no-such-package": ["fwlab-no-such-program"] });
    await writeFile(join(clone, "apt-get"), `#!/bin/sh\necho "E: Unable to locate package"; exit 100\n`, { mode: 0o755 });
    const { exitCode, stdout } = await run({ env: { PATH: `${clone}:${process.env["PATH"] ?? ""}` } }, [], "test");
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/Unable to locate package\ntests that need it are skipped\nfwlab runs: test/u);
  });
});
