import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runSchema, type Run } from "../evidence/run.ts";
import { trialsSchema, type Trials } from "../evidence/trials.ts";
import { silentProgress } from "../progress/progress.ts";
import { fixturesFolder } from "./prepare.ts";
import { strikeOffsets } from "./strikeOffsets.ts";
import { trialSeries, type Series, type TrialPlace } from "./trialSeries.ts";

let runsFolder: string;
let run: Run;
beforeEach(async () => {
  runsFolder = await mkdtemp(join(tmpdir(), "fwlab-series-"));
  run = runSchema.parse(JSON.parse(await readFile(join(fixturesFolder, "bundles/pass/run.json"), "utf8")));
});
afterEach(async () => {
  await rm(runsFolder, { recursive: true });
});

const spread = { count: 10, spreadMs: 1_000, seed: 7 };

function made(series: Series["ready"], signal = new AbortController().signal) {
  return trialSeries(run, { ...spread, flows: { tcp: 3, udp: 2, ssh: 1 }, runsFolder, progress: silentProgress, signal }, { since: "at once", ready: series });
}

const written = async (folder: string): Promise<Trials> => trialsSchema.parse(JSON.parse(await readFile(join(folder, "trials.json"), "utf8")));
const attemptOf = ({ bundle, offsetMs }: TrialPlace, verdict: Run["verdict"] = "pass") => ({ finished: { run: { ...run, id: bundle, verdict }, bundle, interrupted: undefined }, struckMs: offsetMs + 3 });

test("each trial has its offset and a bundle of its own, and what was made so far is whole after each", async () => {
  const places: TrialPlace[] = [];
  const counts: number[] = [];
  const { trials, interrupted } = await made(() =>
    Promise.resolve(async (place) => {
      places.push(place);
      counts.push((await written(place.folder)).trials.length);
      return attemptOf(place);
    }),
  );
  expect(interrupted).toBeUndefined();
  expect(places.map(({ offsetMs }) => offsetMs)).toEqual(strikeOffsets(spread));
  expect(places.map(({ bundle }) => bundle)).toEqual(["trial-01", "trial-02", "trial-03", "trial-04", "trial-05", "trial-06", "trial-07", "trial-08", "trial-09", "trial-10"]);
  expect(counts).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(trials).toMatchObject({ verdict: "pass", flows: 6, flowKinds: { tcp: 3, udp: 2, ssh: 1 }, planned: 10 });
  expect(trials.trials.map(({ struckMs, offsetMs }) => (struckMs ?? 0) - offsetMs).every((lateMs) => Math.abs(lateMs - 3) < 0.01)).toBe(true);
});

test("one trial that fails makes all fail", async () => {
  const { trials } = await made(() => Promise.resolve((place) => Promise.resolve(attemptOf(place, place.bundle === "trial-04" ? "fail" : "pass"))));
  expect(trials).toMatchObject({ verdict: "fail", summary: { counts: { pass: 9, fail: 1, invalid: 0 } } });
});

test("an interruption ends it after the trial that runs: what was made is kept, and is no pass", async () => {
  const stop = new AbortController();
  const { trials, folder, interrupted } = await made(
    () =>
      Promise.resolve((place) => {
        if (place.bundle === "trial-02") stop.abort(new Error("Ctrl-C"));
        return Promise.resolve(attemptOf(place));
      }),
    stop.signal,
  );
  expect(interrupted?.message).toBe("Ctrl-C");
  expect(trials).toMatchObject({ verdict: "invalid", planned: 10, summary: { counts: { pass: 2, fail: 0, invalid: 0 } } });
  expect(await written(folder)).toEqual(trials);
});

test("what they begin with and cannot be made is thrown", async () => {
  await expect(made(() => Promise.reject(new Error("no lab")))).rejects.toThrow("no lab");
});
