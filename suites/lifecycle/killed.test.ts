import { describe, expect, test } from "vitest";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { NewBundles } from "./bundles.ts";
import { Command } from "./command.ts";
import { temporaryFolder } from "./folders.ts";
import { hit, momentOf, type MomentName, type TargetName } from "./moments.ts";
import { namespaceKinds } from "./processes.ts";
import { Traces } from "./traces.ts";

/** The kernel clears up; this is what it may take. */
const clearedWithinMs = 5_000;
/** An emulated lab on a slow host takes its time to come as far as the last moment. */
const patienceMs = 10 * 60_000;

/** Every kind of target is hit, and a moment is never reached by the same way as its neighbours. `inRun`: a bundle is there by then. */
const blows: readonly (readonly [moment: MomentName, target: TargetName, inRun: boolean, how: "cold" | "warm"])[] = [
  ["npm has just started", "the whole process group", false, "cold"],
  ["the bootstrap runs", "npm", false, "cold"],
  ["the namespaces are entered", "unshare", false, "cold"],
  ["the first QEMU runs", "the outer process", true, "cold"],
  ["all QEMUs run", "the first process inside", true, "cold"],
  ["a machine has mounted its root", "the whole process group", true, "cold"],
  ["all machines are ready", "npm", true, "cold"],
  ["all QEMUs have been told to restore", "unshare", true, "warm"],
  ["the flows are open", "a QEMU's parent", true, "warm"],
  ["the power of fw-1 is cut", "the outer process", true, "warm"],
  ["fw-1 boots again", "the bootstrap", true, "warm"],
];

describe("SIGKILL leaves nothing behind", () => {
  const temporary = temporaryFolder();

  test.each(blows)("%s: SIGKILL of %s", { timeout: patienceMs }, async (moment, target, inRun, how) => {
    const bundles = new NewBundles();
    const traces = Traces.begin({ cache: cacheFolder(), temporary: temporary() });
    await using command = new Command(["npm", "start", "--", "--flows", "4", ...(how === "cold" ? ["--cold"] : [])], { traces });
    const scene = { command, traces, bundles };

    hit(scene, target, await momentOf(scene, moment), "SIGKILL");

    await expect.poll(() => traces.leftovers(), { timeout: clearedWithinMs, interval: 50 }).toEqual([]);
    expect((await command.ended).exitCode).not.toBe(0);
    if (inRun) {
      // Had none been seen, none could have been missed.
      expect(traces.namespacesSeen).toBeGreaterThanOrEqual(namespaceKinds.length);
      expect(bundles.run()).toMatchObject({ verdict: "invalid", reason: "the run did not finish" });
    }
    await bundles.remove();
  });
});
