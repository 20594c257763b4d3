import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../../failure/failure.ts";
import type { Run } from "../../evidence/run.ts";
import type { Trial, Trials } from "../../evidence/trials.ts";
import { healthyTrials } from "../../judge/healthyTrials.ts";
import { summarizeTrials } from "../../judge/trialsSummary.ts";
import { resultOf, start } from "../healthyResult.ts";
import { errorCommand, runAnnotations, standsAlone, trialsAnnotations } from "./annotation.ts";
import { markdownBlock, markdownTable, markdownText } from "./markdown.ts";
import { runSummary, trialsJobSummary } from "./summary.ts";
import { tellCi } from "./tellCi.ts";

const hostile = "100 %\r\n::error title=x::pwned, a:b | <img src=x onerror=alert(1)> `rm` $x$ [a](http://b) @all www.x.org \u001b[31m";

const failing = (): Run => resultOf(6, ({ flows }) => flows.slice(0, 2).forEach((flow) => flow.errors.push({ clock: "client", atMs: 1, code: "ECONNRESET", message: "reset by peer" })));

function trialsOf(trials: readonly Trial[], planned = trials.length): Trials {
  const { topology, config, host, versions } = start;
  return { schema: 1, id: "t1", topology, config, host, versions, fault: { id: "power-cut", target: "fw-1" }, flows: 50, seed: 1, spreadMs: 1000, planned, trials: [...trials], ...summarizeTrials(trials, planned) };
}

describe("an annotation", () => {
  test("is one workflow command, whatever its text is", () => {
    const command = errorCommand({ title: "a:b,c%\n", message: hostile });
    expect(command).toMatch(/^::error title=a%3Ab%2Cc%25%0A::100 %25%0D%0A::error title=x::pwned, a:b/u);
    expect(command.split(/[\r\n]/u)).toHaveLength(1);
    // As GitHub's runner reads it back: src/Runner.Common/ActionCommand.cs.
    const [, properties = "", data = ""] = /^::error (.*?)::(.*)$/su.exec(command) ?? [];
    const unescape = (text: string) => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%25", "%");
    expect([unescape(properties), unescape(data)]).toEqual(["title=a:b,c%\n", hostile]);
  });

  test("is made for each check that does not pass, and stands alone", () => {
    const run = failing();
    const wrong = run.checks.filter(({ verdict }) => verdict !== "pass");
    const annotations = runAnnotations(run, "runs/x");
    expect(annotations.map(({ title }) => title)).toEqual(wrong.map(({ id, phase }) => `fwlab: ${id} (${phase}): fail`));
    const [first, check] = [annotations[0]?.message, wrong[0]];
    if (check === undefined) throw new Error("the run does not fail");
    for (const part of [run.id, run.config.path, "power-cut of fw-1", check.id, check.phase, check.measured, check.allowed, check.explanation, check.evidence[0] ?? "?", "runs/x"]) expect(first).toContain(part);
  });

  test("is made for a run that has no check to blame; none for one that passes", () => {
    expect(runAnnotations(resultOf(6), "runs/x")).toEqual([]);
    const interrupted = resultOf(6, (evidence) => {
      evidence.interrupted = "interrupted by SIGINT";
      evidence.transitions = [];
      evidence.hostHealth.worstTimerDelayMs = 0;
    });
    expect(runAnnotations(interrupted, "runs/x")).toEqual([{ title: "fwlab: run is invalid", message: expect.stringContaining("interrupted by SIGINT") as string }]);
  });

  test("what makes a run invalid comes before what fails, and ten are all that GitHub shows", () => {
    const run = failing();
    const [check] = run.checks;
    if (check === undefined) throw new Error("no check");
    const many: Run = { ...run, verdict: "invalid", checks: [...Array.from({ length: 15 }, (_, index) => ({ ...check, id: `f-${index}`, verdict: "fail" as const })), { ...check, id: "worst", verdict: "invalid" as const }] };
    const annotations = runAnnotations(many, "runs/x");
    expect(annotations).toHaveLength(10);
    expect(annotations[0]?.message).toMatch(/^16 findings/u);
    expect(annotations[1]?.title).toContain("worst");
  });

  test("long lists of evidence are cut", () => {
    const check = { ...(failing().checks.find(({ verdict }) => verdict === "fail") ?? raise()), evidence: ["a", "b", "c", "d", "e"] };
    expect(standsAlone(check, failing(), "runs/x")).toContain("evidence: a, b, c and 2 more;");
  });

  test("is made for each trial that does not pass, with its bundle", () => {
    const [first, ...others] = healthyTrials(4);
    const failed: Trial = { ...(first ?? raise()), verdict: "fail", failedChecks: ["flows-survive"], reason: "two flows died" };
    expect(trialsAnnotations(trialsOf([failed, ...others]), "runs/t1")).toEqual([
      { title: "fwlab: trial 1 of 4: fail", message: expect.stringMatching(/^trials t1, trial 1 of 4, offset [\d.]+ ms: fail; failed checks: flows-survive; why: two flows died; bundle: runs\/t1\/trial/u) as string },
    ]);
    expect(trialsAnnotations(trialsOf(healthyTrials(4)), "runs/t1")).toEqual([]);
    expect(trialsAnnotations(trialsOf(healthyTrials(4), 5), "runs/t1")).toEqual([{ title: "fwlab: trials are invalid", message: expect.stringContaining("1 not made") as string }]);
  });
});

describe("Markdown", () => {
  test("text is text", () => {
    const text = markdownText(hostile);
    expect(text).not.toMatch(/[\p{Cc}<>]|(?<!\\)[|`$@[\]]|:\/\/|www\./u);
    expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(markdownText("a_b * c\\d")).toBe("a\\_b \\* c\\\\d");
    expect(markdownText("x".repeat(1_000_000))).toHaveLength(2_000);
  });

  test("a cell cannot make cells or rows", () => {
    const lines = markdownTable(["a", "b"], [["1 | 2\n| 3", "\\|"]]);
    expect(lines).toEqual(["| a | b |", "| --- | --- |", "| 1 \\| 2 \\| 3 | \\\\\\| |", ""]);
    expect(markdownTable(["a"], [])).toEqual([]);
  });

  test("a block cannot be ended from within", () => expect(markdownBlock(["a", "````", "b"])).toEqual(["`````", "a", "````", "b", "`````", ""]));
});

describe("a job's summary", () => {
  test("of a run that passes: verdict, reason, figures, where the rest is", () => {
    const text = runSummary({ ...resultOf(6), command: "npm start -- --flows tcp=4" }, { folder: "runs/x", report: "runs/x/report.html" });
    expect(text.split("\n")[0]).toBe(`### PASS: fwlab run ${start.id}`);
    for (const part of ["all 6 flows survived", "19 of 19 checks pass", "| failover |", "runs/x/report.html", "npm start -- --flows tcp=4"]) expect(text).toContain(part);
    expect(text).not.toContain("| why |");
  });

  test("of a run that fails: each check that does not pass, with measured and allowed", () => {
    const run = failing();
    const text = runSummary(run, { folder: "runs/x" });
    for (const { id, phase, measured, allowed } of run.checks.filter(({ verdict }) => verdict !== "pass")) expect(text).toContain(`| ${id} | ${phase} | fail | ${markdownText(measured)} | ${markdownText(allowed)} |`);
    expect(text).not.toContain("| host-health |");
  });

  test("has the timeline's moments against the fault", () => {
    const moments = [
      { step: "announced" as const, subject: "br0", atMs: 1_003_612.25, errorMs: 0.2, detail: hostile, evidence: "captures/lab.pcapng" },
      { step: "committed" as const, subject: "fw-2", atMs: null, errorMs: 0, detail: "no word of it", evidence: "journals/x" },
    ];
    const timelines = [{ phase: "failover" as const, from: "fw-1", to: "fw-2", faultAtMs: 1_000_000, moments, window: null, firewallMs: 3_700, flows: [] }];
    const text = runSummary({ ...resultOf(6), timelines }, { folder: "runs/x" });
    expect(text).toContain("| announced | br0 | +3612.3 ± 0.2 ms |");
    expect(text).toContain("| committed | fw-2 | not seen | no word of it |");
    expect(text).toContain("**failover**, fw-1 to fw-2: the firewall's part of the outage 3700 ms");
  });

  test("of trials: how the outages are spread, and those that did not pass", () => {
    const trials = healthyTrials(20).map((trial): Trial => (trial.number === 7 ? { ...trial, verdict: "fail", failedChecks: ["flows-survive"], reason: hostile } : trial));
    const text = trialsJobSummary(trialsOf(trials), { folder: "runs/t1" });
    for (const part of ["### FAIL: fwlab trials t1", "20 planned: 19 passed, 1 failed, 0 invalid", "over 20 trials", "```", "| 7 | fail | flows-survive |"]) expect(text).toContain(part);
    expect(text).toMatch(/ms\s+\d+ #+/u);
  });

  test("without any trial is still one", () => expect(trialsJobSummary(trialsOf([], 3), { folder: "runs/t1" })).toContain("3 not made"));
});

describe("telling a CI", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fwlab-ci-"));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const report = { markdown: "### PASS", annotations: [{ title: "t", message: "m" }] };

  test("on GitHub Actions: annotations are printed, the summary is appended", async () => {
    const file = join(folder, "summary.md");
    await writeFile(file, "before\n");
    const lines: string[] = [];
    await tellCi(report, { environment: { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: file }, write: (line) => lines.push(line) });
    expect([lines, await readFile(file, "utf8")]).toEqual([["::error title=t::m"], "before\n### PASS\n"]);
  });

  test("elsewhere nothing is said", async () => {
    for (const environment of [{}, { GITHUB_ACTIONS: "false", GITHUB_STEP_SUMMARY: "" }]) await tellCi(report, { environment, write: raise });
  });

  test("a summary that cannot be written is one line", async () => {
    await expect(tellCi(report, { environment: { GITHUB_STEP_SUMMARY: folder }, write: raise })).rejects.toThrow(Failure);
  });
});

function raise(): never {
  throw new Error("not to be called");
}
