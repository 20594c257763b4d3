import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Run } from "../evidence/run.ts";
import { Failure } from "../failure/failure.ts";
import { Bundle } from "../report/bundle.ts";
import { resultOf, start } from "../report/healthyResult.ts";
import { nameBaseline, readBaselines } from "./baselines.ts";
import { bundlesIn } from "./bundles.ts";
import { appendHistory } from "./historyFile.ts";
import { subjectOf } from "./subject.ts";
import { entryOf, recordedTrials } from "./trialsFixture.ts";

const twenty = recordedTrials("trials-20");

let root: string;
let runs: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fwlab-subject-"));
  runs = join(root, "runs");
  await mkdir(runs);
});
afterEach(() => rm(root, { recursive: true }));

const named = (name: string) => subjectOf(name, { runsFolder: runs, from: root });

/** A folder of trials as an fwlab leaves it. */
async function trialsFolder(folder: string, change: object = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "trials.json"), JSON.stringify({ ...twenty, ...change }));
}

async function runFolder(id: string, change: Partial<Run> = {}): Promise<void> {
  const bundle = await Bundle.create(runs, { ...start, id });
  await bundle.writeRun({ ...resultOf(6), id, durations: { totalMs: 90_000 }, ...change });
}

describe("a word is", () => {
  test("a folder of trials, a bundle, or a folder with several, wherever they are", async () => {
    await trialsFolder(join(runs, "one"), { id: "one" });
    await runFolder("two");
    expect((await named("runs/one")).samples.networkMs).toHaveLength(20);
    expect((await named(join(runs, "two"))).summary).toMatchObject({ ids: ["two"], counts: { pass: 1, fail: 0, invalid: 0 } });
    expect((await named("runs")).summary.ids).toEqual(["one", "two"]);
    expect((await named("runs")).samples.networkMs).toHaveLength(21);
    // Below the folder of runs, the slash can be left out.
    expect((await named("one")).summary.ids).toEqual(["one"]);
  });

  test("an id in the history, or the only one that begins so", async () => {
    await appendHistory(runs, entryOf(twenty));
    await appendHistory(runs, entryOf(twenty, { id: "2026-11-20T23-00-00Z-ffff" }));
    expect((await named(twenty.id)).summary.ids).toEqual([twenty.id]);
    expect((await named("2026-11-20T21")).summary.ids).toEqual([twenty.id]);
    await expect(named("2026-11-20")).rejects.toThrow("2 ids in the history begin so");
  });

  test("a baseline first, and it outlives its bundle", async () => {
    await trialsFolder(join(runs, "night"), { id: "night" });
    await nameBaseline(runs, "reference", (await named("night")).entries);
    await rm(join(runs, "night"), { recursive: true });
    expect((await named("reference")).samples.networkMs).toHaveLength(20);
    await nameBaseline(runs, "reference", [entryOf(twenty, { id: "later" })]);
    await nameBaseline(runs, "other", [entryOf(twenty)]);
    expect(Object.entries(await readBaselines(runs)).map(([name, { entries }]) => [name, entries.map(({ id }) => id)])).toEqual([
      ["reference", ["later"]],
      ["other", [twenty.id]],
    ]);
  });
});

describe("bad input is one line, exit code 2:", () => {
  async function refused(name: string): Promise<string> {
    const failure = await named(name).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Failure);
    expect((failure as Failure).exit).toBe(2);
    expect((failure as Failure).message).not.toContain("\n");
    return (failure as Failure).message;
  }

  test("nothing, a folder with nothing in it, a run that was killed", async () => {
    expect(await refused("nothing")).toContain("it is no baseline, no id in the history and no folder");
    expect(await refused("runs")).toContain("holds no run.json, no trials.json");
    await Bundle.create(runs, { ...start, id: "killed" });
    expect(await refused("runs/killed")).toContain("the run did not finish");
  });

  test("truncated, of a newer schema, of another form", async () => {
    await trialsFolder(join(runs, "cut"));
    await writeFile(join(runs, "cut", "trials.json"), JSON.stringify(twenty).slice(0, -50));
    expect(await refused("runs/cut")).toContain("trials.json: cut short");
    // A folder with a broken one in it is refused as a whole: a pool must not lose its worst night silently.
    await trialsFolder(join(runs, "good"), { id: "good" });
    expect(await refused("runs")).toContain("trials.json: cut short");
    await trialsFolder(join(runs, "new"), { schema: 2 });
    expect(await refused("runs/new")).toContain("is of schema 2");
    await writeFile(join(runs, "new", "trials.json"), "{}");
    expect(await refused("runs/new")).toContain("trials.json:");
  });

  test("invalid alone, two topologies in one folder", async () => {
    await runFolder("invalid", { verdict: "invalid" });
    expect(await refused("runs/invalid")).toContain("no failover in it is valid");
    await trialsFolder(join(runs, "mesh"), { id: "mesh", topology: "mesh" });
    expect(await refused("runs")).toContain("in mesh");
  });

  test("baselines that are cut short or newer, and a name that is none", async () => {
    await writeFile(join(runs, "baselines.json"), '{"schema": 1, "base');
    expect(await refused("anything")).toContain("cut short");
    await writeFile(join(runs, "baselines.json"), '{"schema": 2, "names": []}');
    expect(await refused("anything")).toContain("schema 2");
    await expect(nameBaseline(join(root, "elsewhere"), "../x", [entryOf(twenty)])).rejects.toThrow("that is no name");
    await expect(nameBaseline(runs, "fine", [entryOf(twenty)])).rejects.toThrow("schema 2");
  });
});

test("all bundles in a folder: what was killed or cannot be read is told apart", async () => {
  await runFolder("a");
  await trialsFolder(join(runs, "b"), { id: "b" });
  await Bundle.create(runs, { ...start, id: "c" });
  await trialsFolder(join(runs, "d"), { schema: 9 });
  await mkdir(join(runs, "stray"));
  const found = await bundlesIn(runs, runs);
  expect(found.entries.map(({ id, kind, folder }) => [id, kind, folder])).toEqual([
    ["a", "run", "a"],
    ["b", "trials", "b"],
  ]);
  expect(found.unfinished).toEqual(["c"]);
  expect(found.unreadable).toHaveLength(1);
});
