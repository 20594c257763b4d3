import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runSchema, type Run } from "../../lab/evidence/run.ts";
import { powerCut } from "../../lab/faults/powerCut.ts";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import { fixturesFolder, runsFolder } from "../../lab/run/prepare.ts";
import { conductSandwichTrials } from "../../lab/run/sandwichTrials.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import type { FinishedTrials } from "../../lab/run/trialSeries.ts";
import { sandwich } from "../../lab/topology/sandwich.ts";
import { suiteCommand } from "../conducted.ts";
import { everyNight } from "../everyNight.ts";

const withinMs = 10 * 60_000;
const flows = 16;
const held = 60;

/** The first trial is struck; in the second the strike misses: nothing can be said of the firewalls then. */
everyNight("two trials of a sandwich, of which the second's fault does not bite", () => {
  let finished: FinishedTrials;
  let runs: Run[];
  beforeAll(async () => {
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    let strikes = 0;
    finished = await conductSandwichTrials({
      ...{ topology: sandwich, config: join(fixturesFolder, "sandwich"), over: [join(fixturesFolder, "sandwich-ha")] },
      ...{ flows: { tcp: flows, udp: 0, ssh: 0 }, load: { held, others: 8, pauseMs: 2_000 }, count: 2, spreadMs: 1_000, seed: 7 },
      strike: (machine) => {
        strikes += 1;
        if (strikes === 1) return powerCut(machine);
        return Promise.resolve({ id: "power-cut", target: machine.name, atMs: Date.now(), effect: { bit: false, measured: "the switch was not found", evidence: "none" } });
      },
      ...{ accelerator: "auto", command: suiteCommand(), cold: process.env[coldSuites] !== undefined, runsFolder, progress, signal: AbortSignal.timeout(withinMs) },
    });
    runs = await Promise.all(finished.trials.trials.map(async ({ bundle }) => runSchema.parse(JSON.parse(await readFile(join(finished.folder, bundle, "run.json"), "utf8")))));
  }, withinMs + 60_000);

  test("the first passes: every flow survives, struck at its offset, with the victim left off", () => {
    const [first] = finished.trials.trials;
    expect(first).toMatchObject({ verdict: "pass", survived: flows, flows, failedChecks: [] });
    expect((first?.struckMs ?? 0) - (first?.offsetMs ?? 0)).toBeGreaterThanOrEqual(-1);
    expect(runs[0]?.outages.map(({ phase }) => phase)).toEqual(["failover"]);
  });

  test("its timeline has the survivor's taking over of fw-1's own groups, and when its flows moved again", () => {
    const [timeline] = runs[0]?.timelines ?? [];
    const seen = timeline?.moments.filter(({ atMs }) => atMs !== null).map(({ step, subject }) => `${step} ${subject}`) ?? [];
    expect(seen).toEqual(expect.arrayContaining(["master first_ingress", "master first_egress", "announced br0", "announced br1", "first-forwarded forward", "first-forwarded reverse"]));
    expect(seen.filter((moment) => moment.includes("second_"))).toEqual([]);
    expect(timeline?.firewallMs).toBeGreaterThan(2_000);
    expect(timeline?.firewallMs).toBeLessThan(10_000);
  });

  test("the second is invalid, no pass", () => {
    expect(finished.trials).toMatchObject({ verdict: "invalid", summary: { counts: { pass: 1, fail: 0, invalid: 1 } } });
    expect(finished.trials.trials[1]).toMatchObject({ verdict: "invalid", reason: expect.stringContaining("fault-bit") as string });
  });
});
