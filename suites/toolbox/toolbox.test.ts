import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProgram } from "../../lab/host/requirements.ts";
import { lifelineLabel } from "../../lab/toolbox/leftovers.ts";
import { toolboxBaseFile } from "../../lab/toolbox/toolboxBase.ts";
import { everyNight } from "../everyNight.ts";
import { repository } from "../lifecycle/command.ts";
import { noToolbox, startEngine, type Engine } from "./engine.ts";

const base = "fwlab-test-base:1";
/** What a host that has the engine alone lacks. */
const hidden = ["qemu-system-x86_64", "mmdebstrap", "tshark", "dumpcap", "vde_switch"];

describe.skipIf(noToolbox !== undefined)(`a host with a container engine, and without the programs${noToolbox === undefined ? "" : ` (${noToolbox})`}`, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
    await engine.docker("import", toolboxBaseFile(), base);
  }, 240_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  /** A command where these programs are no programs, as they are covered by /dev/null. */
  const without = (words: readonly string[], timeout: number) => {
    const cover = hidden.flatMap((program) => findProgram(program) ?? []).map((path) => `mount --bind /dev/null ${path}`);
    return execa("unshare", ["--mount", "sh", "-ec", `${cover.join("; ")}; exec "$@"`, "sh", ...words], { cwd: repository, stdin: "ignore", reject: false, all: true, timeout, env: { ...engine.environment, FWLAB_TOOLBOX_BASE: base } });
  };

  test("the control: its doctor finds that they are missing", async () => {
    const { exitCode, all } = await without(["node", "scripts/bootstrap.mjs", "doctor"], 60_000);
    expect({ exitCode, all }).toEqual({ exitCode: 2, all: expect.stringMatching(/MISSING\s+programs\s+qemu-system-x86_64, mmdebstrap/u) as string });
  });

  test("npm and npx are in the base, where this host's Node has them beside itself: tests call them", async () => {
    const own = existsSync(join(dirname(process.execPath), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"));
    const { stdout: version } = await execa("npm", ["--version"]);
    expect(await engine.docker("run", "--rm", "--network", "none", base, "sh", "-c", "npm --version && npx --version || echo none")).toBe(own ? `${version}\n${version}` : "none");
  });

  /** Numbers of the toolboxes' containers. While an image is built the engine has others. */
  const toolboxes = (...more: readonly string[]) => engine.docker("ps", "--quiet", "--filter", `label=${lifelineLabel}`, ...more);

  test("a container whose starter is killed ends itself; the next one's starter removes it, and runs fwlab's own tests, those in a browser too", async () => {
    const starter = without(["node", "scripts/bootstrap.mjs", "start", "--host", "container", "--flows", "8"], 120_000);
    await expect.poll(() => toolboxes(), { timeout: 60_000, interval: 500 }).not.toBe("");
    starter.kill("SIGKILL");
    await starter;
    await expect.poll(() => toolboxes(), { timeout: 30_000, interval: 500 }).toBe("");
    const leftover = await toolboxes("--all");
    const lifeline = await engine.docker("inspect", "--format", `{{ index .Config.Labels "${lifelineLabel}" }}`, leftover);
    expect(existsSync(dirname(lifeline))).toBe(true);
    // In CI a browser that is missing is a failure.
    const { exitCode, all } = await without(["env", "CI=true", "node", "scripts/bootstrap.mjs", "test", "--host", "container", "lab/hand/watch.test.ts"], 240_000);
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(/^\d+ passed, 0 failed$/mu);
    expect(all).not.toMatch(/skipped/u);
    expect(await toolboxes("--all")).toBe("");
    expect(existsSync(dirname(lifeline))).toBe(false);
  }, 400_000);

  test("runs the lab in the toolbox, and the verdict is the run's", async () => {
    // Beside the bundles there are the history and its page, from the first run on.
    const bundles = async (): Promise<string[]> => (await readdir(join(repository, "runs")).catch(() => [])).filter((name) => /^\d{4}-\d\d-\d\dT/u.test(name));
    const before = new Set(await bundles());
    const { exitCode, all } = await without(["node", "scripts/bootstrap.mjs", "start", "--host", "container", "--flows", "8"], 800_000);
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(/^verdict\s+PASS$/mu);
    expect((await bundles()).filter((name) => !before.has(name))).toHaveLength(1);
    expect(await engine.docker("ps", "--all", "--quiet")).toBe("");
  }, 820_000);

  everyNight("whose base has no browser, and where none can be had", () => {
    const bare = "fwlab-test-base:bare";
    beforeAll(async () => {
      const container = await engine.docker("run", "--detach", "--network", "none", base, "dpkg", "--force-depends", "--purge", "chromium");
      expect(await engine.docker("wait", container)).toBe("0");
      await engine.docker("commit", container, bare);
      await engine.docker("rm", container);
    }, 120_000);

    test("tests run in the toolbox that labs have, and those in a browser say that they are skipped", async () => {
      const { exitCode, all } = await without(["env", "--unset=CI", `FWLAB_TOOLBOX_BASE=${bare}`, "node", "scripts/bootstrap.mjs", "test", "--host", "container", "lab/hand/watch.test.ts"], 400_000);
      expect(exitCode, all).toBe(0);
      expect(all).toMatch(/build the toolbox \S+ from fwlab-test-base:bare.*\n.*the tests run in the toolbox that labs have/u);
      expect(all).toMatch(/tests that need it are skipped/u);
      expect(all).toMatch(/^\d+ passed, 0 failed$/mu);
    }, 420_000);
  });
});
