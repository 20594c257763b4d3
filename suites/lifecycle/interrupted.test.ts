import { describe, expect, test } from "vitest";
import { exitCode } from "../../lab/failure/failure.ts";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { NewBundles } from "./bundles.ts";
import { Command } from "./command.ts";
import { temporaryFolder } from "./folders.ts";
import { hit, momentOf } from "./moments.ts";
import { Traces } from "./traces.ts";

/** Milliseconds in which an interrupted command has ended. */
const endsWithinMs = 10_000;
const patienceMs = 10 * 60_000;

describe("an interrupted run ends soon, says so in its bundle, and leaves nothing", () => {
  const temporary = temporaryFolder();

  test.each([
    ["the flows are open", "SIGINT", "the whole process group", []],
    ["a machine has mounted its root", "SIGTERM", "the outer process", ["--cold"]],
  ] as const)("%s: %s to %s", { timeout: patienceMs }, async (moment, signal, target, options) => {
    const bundles = new NewBundles();
    const traces = Traces.begin({ cache: cacheFolder(), temporary: temporary() });
    await using command = new Command(["npm", "start", "--", "--flows", "4", ...options], { traces });
    const scene = { command, traces, bundles };
    const processes = await momentOf(scene, moment);

    // To the whole group is what a terminal does at Ctrl-C.
    const struck = performance.now();
    hit(scene, target, processes, signal);
    const ended = await command.ended;

    expect(performance.now() - struck).toBeLessThan(endsWithinMs);
    expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({ exitCode: exitCode.invalid, stderr: [`fwlab: interrupted by ${signal}`] });
    expect(bundles.run()).toMatchObject({ verdict: "invalid", reason: expect.stringContaining(`interrupted by ${signal}`) as string });
    await expect.poll(() => traces.leftovers(), { timeout: 5_000, interval: 50 }).toEqual([]);
    await bundles.remove();
  });
});
