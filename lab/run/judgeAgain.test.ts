import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { Run } from "../evidence/run.ts";
import { healthyRun } from "../judge/healthyRun.ts";
import { judge } from "../judge/judge.ts";
import { trialOf } from "../judge/trialOf.ts";
import { summarizeTrials } from "../judge/trialsSummary.ts";
import { Failure } from "../failure/failure.ts";
import { Bundle } from "../report/bundle.ts";
import { bundleKind } from "../report/readBundle.ts";
import { start } from "../report/healthyResult.ts";
import { judgeAgain, judgeTrialsAgain } from "./judgeAgain.ts";

const recordedCapture = fileURLToPath(new URL("../capture/recorded/takeover.pcapng", import.meta.url));
const { signal } = new AbortController();
let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), "fwlab-again-"));
});
afterEach(() => rm(runs, { recursive: true }));

/** A bundle as a run writes it. `change` breaks the evidence before it is judged. */
async function bundleOf(id: string, change: (evidence: Evidence) => void = () => undefined, folder = runs): Promise<{ folder: string; run: Run }> {
  const evidence = healthyRun(6);
  change(evidence);
  const bundle = await Bundle.create(folder, { ...start, id });
  await bundle.writeEvidence(evidence);
  const run: Run = { schema: 1, ...start, id, ...judge(evidence), fault: { ...start.fault, atMs: evidence.transitions[0]?.fault.atMs ?? null }, durations: { totalMs: 90_000 } };
  await bundle.writeRun(run);
  return { folder: bundle.folder, run };
}

const capture = (file: string): Evidence["capture"] => ({ file, snapLength: 144, startedAtMs: 0, stoppedAtMs: 1, points: [] });

/** The one line that refuses a bundle. */
async function refusal(folder: string): Promise<string> {
  const failure = await judgeAgain(folder, signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof Failure)) throw new Error(`not refused: ${String(failure)}`);
  expect(failure.exit).toBe(2);
  expect(failure.message).not.toContain("\n");
  return failure.message;
}

describe("a bundle", () => {
  test("is judged to what it was, and nothing is written", async () => {
    const { folder, run } = await bundleOf("good");
    const before = await readdir(folder, { recursive: true });
    expect(await judgeAgain(folder, signal)).toEqual({ folder, run, config: { state: "none" }, differences: [], notCompared: [] });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  test("that fails, fails again, by the same checks", async () => {
    const { folder, run } = await bundleOf("bad", ({ flows }) => flows[0]?.forward.received.seq.splice(40, 3) && flows[0].forward.received.atMs.splice(40, 3));
    expect(run.verdict).toBe("fail");
    expect(await judgeAgain(folder, signal)).toMatchObject({ run: { verdict: "fail", reason: run.reason }, differences: [] });
  });

  test("of an interrupted run is invalid again, and says so; of a killed one too, without any evidence", async () => {
    const { folder } = await bundleOf("interrupted", (evidence) => (evidence.interrupted = "interrupted by SIGINT"));
    expect(await judgeAgain(folder, signal)).toMatchObject({ run: { verdict: "invalid", reason: "the run did not come to its end: interrupted by SIGINT" }, differences: [] });
    const killed = await Bundle.create(runs, { ...start, id: "killed" });
    expect(await judgeAgain(killed.folder, signal)).toMatchObject({ run: { verdict: "invalid", reason: "the run did not finish" }, differences: [] });
  });

  test("whose evidence was changed is judged otherwise, and each difference is told", async () => {
    const { folder } = await bundleOf("changed");
    const path = join(folder, "ledgers/tcp-000.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"errors":[]', '"errors":[{"clock":"client","atMs":1,"code":"ECONNRESET","message":"reset"}]'));
    const { run, differences } = await judgeAgain(folder, signal);
    expect(run.verdict).toBe("fail");
    expect(differences.map(({ what }) => what)).toEqual(expect.arrayContaining(["verdict", "reason", "checks flows-survive (failover) verdict", "flows tcp-000 resets", "flows tcp-000 survived"]));
  });

  test("with a capture is judged by its packets", async () => {
    const { folder } = await bundleOf("captured", (evidence) => (evidence.capture = capture("captures/lab.pcapng")));
    await mkdir(join(folder, "captures"));
    await cp(recordedCapture, join(folder, "captures/lab.pcapng"));
    const { run } = await judgeAgain(folder, signal);
    // It has the packets, and none of the points that it says to have captured at.
    expect(run.checks.find(({ id }) => id === "capture-whole")).toMatchObject({ verdict: "invalid", explanation: expect.not.stringContaining("not decoded") as string });
  });
});

describe("refused in one line", () => {
  test("no folder, no bundle", async () => {
    await expect(bundleKind(join(runs, "none"))).rejects.toThrow("there is no such folder");
    await expect(bundleKind(runs)).rejects.toThrow("it is no bundle");
  });

  test.each(["run.json", "evidence.json", "ledgers/udp-005.json"])("%s cut at any place", async (file) => {
    const { folder } = await bundleOf("cut");
    const path = join(folder, file);
    const whole = await readFile(path);
    for (const part of [0, 0.001, 0.1, 0.5, 0.9, 0.99]) {
      await writeFile(path, whole.subarray(0, Math.floor(whole.length * part)));
      expect(await refusal(folder)).toContain(`${file}: cut short or no JSON`);
    }
  });

  test.each(["run.json", "evidence.json"])("%s of a newer schema, whatever else is in it", async (file) => {
    const { folder } = await bundleOf("newer");
    await writeFile(join(folder, file), JSON.stringify({ schema: 2, verdict: "maybe" }));
    expect(await refusal(folder)).toContain(`${file} is of schema 2, and this fwlab knows up to 1`);
  });

  test("a run that came to its end without evidence", async () => {
    const { folder } = await bundleOf("lost");
    await rm(join(folder, "evidence.json"));
    expect(await refusal(folder)).toContain("evidence.json: ENOENT");
  });

  test("a capture that is missing, or cut in the middle of a packet", async () => {
    const { folder } = await bundleOf("cut-capture", (evidence) => (evidence.capture = capture("captures/lab.pcapng")));
    expect(await refusal(folder)).toContain("captures/lab.pcapng: ENOENT");
    await mkdir(join(folder, "captures"));
    await cp(recordedCapture, join(folder, "captures/lab.pcapng"));
    await truncate(join(folder, "captures/lab.pcapng"), 20_001);
    expect(await refusal(folder)).toContain("lab.pcapng");
  });

  test.each(["../outside.pcapng", "/etc/passwd", "captures/../../outside.pcapng", "..", "."])("a capture at %s", async (file) => {
    const { folder } = await bundleOf("outward", (evidence) => (evidence.capture = capture(file)));
    await cp(recordedCapture, join(runs, "outside.pcapng"));
    expect(await refusal(folder)).toContain("the path leads out of the bundle");
  });

  test("links out of the bundle: of a capture, of a ledger, of a whole folder", async () => {
    const outside = join(runs, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret"), "secret");
    await cp(recordedCapture, join(outside, "lab.pcapng"));
    const { folder } = await bundleOf("links", (evidence) => (evidence.capture = capture("captures/lab.pcapng")));
    await symlink(outside, join(folder, "captures"));
    expect(await refusal(folder)).toContain("captures/lab.pcapng: a link leads out of the bundle");
    await rm(join(folder, "ledgers/tcp-000.json"));
    await symlink(join(outside, "secret"), join(folder, "ledgers/tcp-000.json"));
    const line = await refusal(folder);
    expect(line).toContain("ledgers/tcp-000.json: a link leads out of the bundle");
    expect(line).not.toContain("secret\"");
  });
});

describe("trials", () => {
  async function trialsOf(changes: ((evidence: Evidence) => void)[]): Promise<string> {
    const folder = join(runs, "trials");
    await mkdir(folder);
    const made = [];
    for (const [index, change] of changes.entries()) {
      const { run } = await bundleOf(`trial-${index + 1}`, change, folder);
      made.push(trialOf(run, { number: index + 1, offsetMs: index * 10, struckMs: index * 10, bundle: run.id }));
    }
    const { topology, config, host, versions } = start;
    const file = { schema: 1, id: "trials", topology, config, host, versions, fault: { id: "power-cut", target: "fw-1" }, flows: 6, seed: 1, spreadMs: 1000, planned: made.length, trials: made, ...summarizeTrials(made, made.length) };
    await writeFile(join(folder, "trials.json"), JSON.stringify(file));
    return folder;
  }
  const well = () => undefined;
  const resets = ({ flows }: Evidence) => flows[0]?.errors.push({ clock: "client", atMs: 1, code: "ECONNRESET", message: "reset" });

  test("are judged one by one, and summed up to what they were", async () => {
    const folder = await trialsOf([well, resets, well]);
    const { trials, runs: judgedRuns, differences } = await judgeTrialsAgain(folder, signal);
    expect([trials.verdict, trials.summary.counts, differences, judgedRuns.map(({ run }) => run.verdict)]).toEqual(["fail", { pass: 2, fail: 1, invalid: 0 }, [], ["pass", "fail", "pass"]]);
  });

  test("a trial whose evidence says otherwise changes the sum", async () => {
    const folder = await trialsOf([well, resets]);
    await rm(join(folder, "trial-2"), { recursive: true });
    await cp(join(folder, "trial-1"), join(folder, "trial-2"), { recursive: true });
    const { trials, differences } = await judgeTrialsAgain(folder, signal);
    expect(trials.verdict).toBe("pass");
    expect(differences.map(({ what }) => what)).toEqual(expect.arrayContaining(["verdict", "trials 2 verdict", "summary counts pass"]));
  });

  test("a trial that is missing, or lies elsewhere, is refused", async () => {
    const folder = await trialsOf([well, well]);
    await rm(join(folder, "trial-2"), { recursive: true });
    await expect(judgeTrialsAgain(folder, signal)).rejects.toThrow("trial-2/run.json: ENOENT");
    const path = join(folder, "trials.json");
    await writeFile(path, (await readFile(path, "utf8")).replaceAll('"bundle":"trial-2"', '"bundle":"../elsewhere"'));
    await expect(judgeTrialsAgain(folder, signal)).rejects.toThrow("leads out of the bundle");
    await writeFile(path, '{"schema":2}');
    await expect(judgeTrialsAgain(folder, signal)).rejects.toThrow("trials.json is of schema 2");
  });
});
