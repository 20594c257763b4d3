import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runSchema, type Run } from "../../lab/evidence/run.ts";
import { trialsSchema } from "../../lab/evidence/trials.ts";
import { powerCut } from "../../lab/faults/powerCut.ts";
import { judge } from "../../lab/judge/judge.ts";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import { readBundle } from "../../lab/report/readBundle.ts";
import { packetsOf } from "../../lab/run/packetsOf.ts";
import { fixturesFolder, runsFolder } from "../../lab/run/prepare.ts";
import { strikeOffsets } from "../../lab/run/strikeOffsets.ts";
import { conductTrials } from "../../lab/run/trials.ts";
import type { FinishedTrials } from "../../lab/run/trialSeries.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { mixture } from "../../lab/traffic/flowSpec.ts";

const withinMs = 10 * 60_000;
const flows = 10;
const spread = { count: 2, spreadMs: 1_000, seed: 20_261_120 };

/** The first trial is struck; in the second the strike misses: nothing can be said of the pair then. */
describe("two trials from one saved lab, of which the second's fault does not bite", () => {
  let finished: FinishedTrials;
  let runs: Run[];

  beforeAll(async () => {
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    let strikes = 0;
    finished = await conductTrials({
      ...spread,
      topology: primaryBackup,
      config: join(fixturesFolder, "omarine-snat"),
      fault: { id: "power-cut", target: primaryBackup.active },
      strike: async (machine) => {
        strikes += 1;
        if (strikes === 1) return powerCut(machine);
        return { id: "power-cut", target: machine.name, atMs: Date.now(), effect: { bit: false, measured: "the switch was not found", evidence: "none" } };
      },
      flows: mixture(flows),
      accelerator: "auto",
      cold: process.env[coldSuites] !== undefined,
      runsFolder,
      progress,
      signal: AbortSignal.timeout(withinMs),
    });
    runs = await Promise.all(finished.trials.trials.map(async ({ bundle }) => runSchema.parse(JSON.parse(await readFile(join(finished.folder, bundle, "run.json"), "utf8")))));
  }, withinMs + 60_000);

  test("the first passes: all flows survive, and the network's outage is told", () => {
    const [first] = finished.trials.trials;
    expect(first).toMatchObject({ verdict: "pass", survived: flows, flows, failedChecks: [] });
    expect(first?.outage?.networkMs).toBeGreaterThan(2_000);
    expect(first?.outage?.networkMs).toBeLessThan(10_000);
  });

  test("the second is invalid, no pass, and not in the figures", () => {
    const { trials } = finished;
    expect(trials.trials[1]).toMatchObject({ verdict: "invalid", reason: expect.stringContaining("fault-bit") as string });
    expect(trials.verdict).toBe("invalid");
    expect(trials.summary).toMatchObject({ counts: { pass: 1, fail: 0, invalid: 1 }, outageMs: { trials: 1 }, flowsSurvived: { survived: flows, of: flows } });
  });

  test("both were restored to the same instant, and struck where the seed says", () => {
    expect(runs.map(({ begun }) => begun)).toEqual(["live", "live"]);
    expect(finished.trials.trials.map(({ offsetMs }) => offsetMs)).toEqual(strikeOffsets(spread));
    for (const { offsetMs, struckMs } of finished.trials.trials) expect(struckMs).toBeGreaterThanOrEqual(Math.floor(offsetMs));
    const tuples = runs.map((run) => run.flows.map(({ tuple, natTuple }) => ({ tuple, natTuple })));
    expect(tuples[0]).toHaveLength(flows);
    expect(tuples[1]).toEqual(tuples[0]);
  });

  test("trials.json has the published form, and each bundle is judged to the same again", async () => {
    expect(trialsSchema.parse(JSON.parse(await readFile(join(finished.folder, "trials.json"), "utf8")))).toEqual(finished.trials);
    for (const [index, { bundle }] of finished.trials.trials.entries()) {
      const folder = join(finished.folder, bundle);
      const evidence = await readBundle(folder);
      const again = judge(evidence, { packets: await packetsOf(folder, evidence, new AbortController().signal) });
      expect({ verdict: again.verdict, checks: again.checks, outages: again.outages }).toEqual({ verdict: runs[index]?.verdict, checks: runs[index]?.checks, outages: runs[index]?.outages });
    }
  });
});
