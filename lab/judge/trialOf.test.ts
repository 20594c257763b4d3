import { expect, test } from "vitest";
import { runSchema, type Run } from "../evidence/run.ts";
import { trialSchema } from "../evidence/trials.ts";
import { healthyRun } from "./healthyRun.ts";
import { judge } from "./judge.ts";
import { trialOf } from "./trialOf.ts";

const facts = { number: 3, offsetMs: 123.456, struckMs: 418, bundle: "trial-003" };

function runOf(evidence = healthyRun()): Run {
  return runSchema.parse({
    schema: 1,
    id: "r",
    topology: evidence.topology,
    config: { path: "x", overlays: [], sha256: "ab12".repeat(16) },
    fault: { id: "power-cut", target: "fw-1", atMs: null },
    host: { accelerator: "tcg", accelReason: "", cores: 2, qemu: "", guestKernel: "" },
    ...judge(evidence),
    durations: { restoreMs: 1100, totalMs: 12_000 },
  });
}

test("a trial tells its run's failover, and where its bundle is", () => {
  const run = runOf();
  const trial = trialSchema.parse(trialOf(run, facts));
  expect(trial).toMatchObject({ ...facts, verdict: "pass", reason: run.reason, outage: run.outages[0], survived: 6, flows: 6, failedChecks: [], durations: run.durations, figures: { networkMs: 3100, stallMs: 3100 } });
  expect(trial.outage?.phase).toBe("failover");
});

test("checks that fail on both ways are named once, and checks that cannot be judged are not among them", () => {
  const evidence = healthyRun();
  for (const flow of evidence.flows) flow.accepted = 2;
  for (const { fault } of evidence.transitions) fault.effect.bit = false;
  expect(trialOf(runOf(evidence), facts)).toMatchObject({ verdict: "invalid", failedChecks: ["flows-survive"], survived: 0, flows: 6 });
});

test("a run that did not come to its failover has no outage", () => {
  const evidence = { ...healthyRun(), transitions: [], flows: [], interrupted: "restore the lab: SIGINT" };
  expect(trialOf(runOf(evidence), facts)).toMatchObject({ verdict: "invalid", outage: null, survived: 0, flows: 0 });
});
