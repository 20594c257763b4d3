import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { trialsSchema } from "../evidence/trials.ts";
import { healthyRun } from "../judge/healthyRun.ts";
import { trialOf } from "../judge/trialOf.ts";
import { summarizeTrials } from "../judge/trialsSummary.ts";
import { Bundle } from "./bundle.ts";
import { resultOf, start } from "./healthyResult.ts";
import { writeReport } from "./writeReport.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-report-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function bundleOf(id: string): Promise<Bundle> {
  const bundle = await Bundle.create(folder, { ...start, id });
  await bundle.writeEvidence(healthyRun(6));
  await bundle.writeRun({ ...resultOf(6), id });
  return bundle;
}

test("a bundle gets its report, which is no file of its own evidence when it is written again", async () => {
  const bundle = await bundleOf("one");
  const path = await writeReport(bundle.folder);
  expect(path).toBe(join(bundle.folder, "report.html"));
  const first = await readFile(path, "utf8");
  expect(first).toContain('href="./ledgers/tcp-000.json"');
  await writeReport(bundle.folder);
  expect(await readFile(path, "utf8")).toBe(first);
});

test("a folder of trials gets one, and each of its trials", async () => {
  const bundles = await Promise.all(["trial-1", "trial-2"].map(bundleOf));
  const trials = bundles.map((_, index) => trialOf(resultOf(6), { number: index + 1, offsetMs: index, struckMs: index, bundle: `trial-${index + 1}` }));
  const { topology, config, fault, host } = start;
  const told = trialsSchema.parse({ schema: 1, id: "t", topology, config, fault, host, flows: 6, seed: 1, spreadMs: 10, planned: 2, trials, ...summarizeTrials(trials, 2) });
  await writeFile(join(folder, "trials.json"), JSON.stringify(told));
  expect(await readFile(await writeReport(folder), "utf8")).toContain('href="./trial-2/report.html"');
  expect(await readFile(join(folder, "trial-2", "report.html"), "utf8")).toContain("This run is the diamond");
});

test.each([
  ["a folder that is no bundle", () => Promise.resolve(folder), /holds neither run\.json nor trials\.json/u],
  ["a folder that is not there", () => Promise.resolve(join(folder, "nowhere")), /ENOENT/u],
  ["a truncated bundle", async () => {
    const bundle = await bundleOf("cut");
    await truncate(join(bundle.folder, "evidence.json"), 200);
    return bundle.folder;
  }, /evidence\.json: cut short/u],
])("%s is one line and exit code 2", async (_, make, seen) => {
  await expect(writeReport(await make())).rejects.toMatchObject({ exit: 2, seen: expect.stringMatching(seen) as string });
});
