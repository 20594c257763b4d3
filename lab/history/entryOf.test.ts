import { describe, expect, test } from "vitest";
import { historyEntrySchema } from "../evidence/history.ts";
import { healthyTrial, healthyTrials, invalidTrial, unresumedTrial } from "../judge/healthyTrials.ts";
import { resultOf } from "../report/healthyResult.ts";
import { entryOfRun, entryOfTrials } from "./entryOf.ts";
import { recordedTrials } from "./trialsFixture.ts";

const place = { folder: "x", begunAt: new Date("2026-01-02T03:04:05Z"), project: "/home/somebody/fwlab" };
const twenty = recordedTrials("trials-20");

test("twenty recorded trials of an fwlab that knew no history", () => {
  const entry = historyEntrySchema.parse(entryOfTrials(twenty, place));
  expect(entry).toMatchObject({ kind: "trials", at: "2026-11-20T21:02:13.000Z", verdict: "pass", counts: { pass: 20, fail: 0, invalid: 0 }, survived: { survived: 1000, of: 1000 }, flows: { total: 50 }, failedChecks: {} });
  expect(Object.keys(entry.samples)).toEqual(["networkMs", "stallMs", "strikeLateMs"]);
  expect(entry.samples.networkMs?.slice(0, 3)).toEqual([4385, 4169, 3808]);
  expect(entry.samples.stallMs?.[0]).toBe(7647);
});

test("a run is one failover", () => {
  const run = resultOf(6);
  const entry = historyEntrySchema.parse(entryOfRun(run, place));
  expect(entry).toMatchObject({ kind: "run", verdict: run.verdict, counts: { pass: 1, fail: 0, invalid: 0 }, survived: { survived: 6, of: 6 }, samples: { networkMs: [run.outages[0]?.networkMs] } });
});

test("an invalid failover has no figures; one in which a flow never resumed has no outage, and fails", () => {
  const entry = entryOfTrials({ ...twenty, trials: [healthyTrial(1), invalidTrial(2), unresumedTrial(3)] }, place);
  expect(entry).toMatchObject({
    counts: { pass: 1, fail: 1, invalid: 1 },
    survived: { survived: 98, of: 100 },
    failedChecks: { "flows-survive": 1, "outage-in-bound": 1 },
    samples: { networkMs: [3010], stallMs: [4010] },
  });
});

test("figures that a trial tells itself are taken as they are", () => {
  const trials = healthyTrials(2).map((trial, index) => ({ ...trial, figures: { masterMs: 3100 + index, windowMs: -20 } }));
  expect(entryOfTrials({ ...twenty, trials }, place).samples).toEqual({ masterMs: [3100, 3101], windowMs: [-20, -20], strikeLateMs: [1, 1] });
});

describe("paths and times are of no one machine:", () => {
  const entryWith = (path: string, id = "x") => entryOfTrials({ ...twenty, id, config: { ...twenty.config, path, overlays: ["/home/somebody/fwlab/fixtures/controls/slow-advert"] } }, place);

  test.each([
    ["/home/somebody/fwlab/fixtures/primary-backup", "fixtures/primary-backup"],
    ["/elsewhere/checkout/fixtures/primary-backup", "fixtures/primary-backup"],
    ["/etc/site/production", "production"],
    ["fixtures/primary-backup", "fixtures/primary-backup"],
  ])("%s is %s", (path, told) => {
    expect(entryWith(path).config).toMatchObject({ path: told, overlays: ["fixtures/controls/slow-advert"] });
  });

  test("an id that tells no time leaves it to the folder's", () => {
    expect(entryWith("x", "by-hand").at).toBe("2026-01-02T03:04:05.000Z");
    expect(entryWith("x", "2026-99-99T99-99-99Z-0000").at).toBe("2026-01-02T03:04:05.000Z");
  });
});
