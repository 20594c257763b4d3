import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runSchema } from "../../lab/evidence/run.ts";
import { powerCut } from "../../lab/faults/powerCut.ts";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import type { FinishedRun } from "../../lab/run/judgedRun.ts";
import { fixturesFolder, runsFolder } from "../../lab/run/prepare.ts";
import { conductTrials } from "../../lab/run/trials.ts";
import type { FinishedTrials } from "../../lab/run/trialSeries.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { mixture } from "../../lab/traffic/flowSpec.ts";
import { suiteCommand } from "../conducted.ts";

const withinMs = 10 * 60_000;

/** The control: the same fault, the same tree, but conntrackd masked on both nodes. It must fail, and for that reason; as a trial, which must fail too. */
describe("fw-1 loses its power, and its states were never replicated", () => {
  let finished: FinishedTrials;
  let trial: FinishedRun;
  const run = (): FinishedRun => trial;

  beforeAll(async () => {
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    finished = await conductTrials({
      topology: primaryBackup,
      config: join(fixturesFolder, "omarine-snat"),
      control: "no-conntrackd",
      fault: { id: "power-cut", target: primaryBackup.active },
      strike: powerCut,
      flows: mixture(20),
      count: 1,
      spreadMs: 0,
      seed: 0,
      accelerator: "auto",
      command: suiteCommand(),
      cold: process.env[coldSuites] !== undefined,
      runsFolder,
      progress,
      signal: AbortSignal.timeout(withinMs),
    });
    const bundle = join(finished.folder, finished.trials.trials[0]?.bundle ?? "");
    trial = { run: runSchema.parse(JSON.parse(await readFile(join(bundle, "run.json"), "utf8"))), bundle, interrupted: finished.interrupted };
  }, withinMs + 60_000);

  test("the run is judged, and fails; so do the trials", () => {
    expect(run().run.verdict).toBe("fail");
    expect(finished.trials).toMatchObject({ verdict: "fail", summary: { counts: { pass: 0, fail: 1, invalid: 0 }, outageMs: null, flowsSurvived: { survived: 0, of: 20 } } });
  });

  test("no state was on fw-2 before, no flow survives, and fw-2 drops what it knows nothing of", () => {
    expect(run()).toFail("replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor");
    expect(run().run.flows.filter(({ survived }) => survived)).toEqual([]);
  });

  test("the drops are packets of the flows, by fw-2's own log", () => {
    const drops = run().run.checks.find(({ id }) => id === "no-drops-on-survivor");
    expect(drops?.explanation).toMatch(/dropped packets of flows: (?:tcp|udp|ssh)-\d+/u);
  });

  test("nothing else is to blame: all was steady, the fault bit, the addresses moved, the policy held, new connections work", () => {
    expect(run()).toPass("steady-before", "fault-bit", "vips-moved", "new-connections");
  });
});
