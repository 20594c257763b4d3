import { expect, test } from "vitest";
import type { Trials } from "../../evidence/trials.ts";
import { healthyTrials, invalidTrial, unresumedTrial } from "../../judge/healthyTrials.ts";
import { summarizeTrials } from "../../judge/trialsSummary.ts";
import { start } from "../healthyResult.ts";
import { healthyReport } from "./healthyReport.ts";
import { renderRunReport } from "./runReport.ts";
import { renderTrialsReport } from "./trialsReport.ts";

function trialsOf(trials: Trials["trials"]): Trials {
  const { topology, config, fault, host, versions } = start;
  return { schema: 1, id: "2026-11-20T21-02-13Z-028c", topology, config, fault: { id: fault.id, target: fault.target }, host, versions, flows: 50, seed: 907_474_777, spreadMs: 1000, planned: trials.length, trials, ...summarizeTrials(trials, trials.length) };
}

test("trials are told with their spread, and each with the way to its own report", async () => {
  const trials = trialsOf(healthyTrials(20));
  const page = await renderTrialsReport(trials, ["trial-001/report.html", "trial-002/run.json"]);
  expect(page.indexOf("PASS")).toBeLessThan(page.indexOf("<h1>"));
  expect(page).toContain("20 values from 3010 to 3200 ms");
  expect(page).toContain('<a href="./trial-001/report.html">trial 1</a>');
  expect(page).toContain('<a href="./trial-002/run.json">trial 2</a>');
  expect(page).toContain(">trial 3</th>");
  expect(page).toContain("907474777");
});

test("a trial that is in no distribution is told beside it, and what did not pass comes first", async () => {
  const page = await renderTrialsReport(trialsOf([...healthyTrials(5), unresumedTrial(6), invalidTrial(7)]), []);
  expect(page).toContain("5 values from 3010 to 3050 ms");
  expect(page).toMatch(/Not in this picture: in 1 trials a flow never resumed, so their outage has no end; 1 trials are invalid/u);
  expect(page).toMatch(/Look at this first[^]*trial 6: flows-survive \(failover\)[^]*How the outage is spread/u);
  expect(page).toContain("(99,999 ms)");
});

test("a run that is one of the trials is marked among them", async () => {
  const input = healthyReport(6);
  const trials = trialsOf(healthyTrials(9));
  const page = await renderRunReport({ ...input, run: { ...input.run, id: "trial-004" }, trials });
  expect(page).toContain("This run is the diamond: 3,040 ms, longer than 3 of the 8 others.");
  expect(page).toContain('href="../report.html"');
});
