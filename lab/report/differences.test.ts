import { describe, expect, test } from "vitest";
import type { Run } from "../evidence/run.ts";
import { compareRuns } from "./differences.ts";
import { resultOf } from "./healthyResult.ts";

type Json = Record<string, unknown>;

/** As it stands in run.json. */
const written = (run: Run): Json => JSON.parse(JSON.stringify(run)) as Json;

describe("a run against itself, judged again", () => {
  const run = resultOf(6);

  test("agrees, whatever order its lists and fields have", () => {
    expect(compareRuns(written(run), run)).toEqual({ differences: [], notCompared: [] });
    const { checks, flows, verdict, ...rest } = written(run);
    const turned = { verdict, flows: (flows as unknown[]).toReversed(), checks: (checks as unknown[]).toReversed(), ...rest };
    expect(compareRuns(turned, run).differences).toEqual([]);
  });

  test("an older fwlab's run agrees on what it has", () => {
    const old = written(run);
    for (const part of ["timelines", "drops", "outages"]) Reflect.deleteProperty(old, part);
    for (const flow of old["flows"] as Json[]) Reflect.deleteProperty(flow, "resets");
    expect(compareRuns(old, run)).toEqual({ differences: [], notCompared: ["outages", "timelines", "drops"] });
  });

  test("how it came about is not compared", () => {
    expect(compareRuns({ ...written(run), host: { cores: 64 }, durations: {}, command: "x", versions: {} }, run).differences).toEqual([]);
  });
});

describe("every judged figure counts", () => {
  const cases: [string, (run: Run) => void, string][] = [
    ["the verdict", (run) => (run.verdict = "fail"), "verdict"],
    ["the reason", (run) => (run.reason = "x"), "reason"],
    ["a check's verdict", (run) => (at(run.checks, 5).verdict = "invalid"), "checks flows-survive (failover) verdict"],
    ["what a check measured", (run) => (at(run.checks, 0).measured = "x"), "checks host-health (run) measured"],
    ["a check's evidence", (run) => at(run.checks, 5).evidence.push("x"), "checks flows-survive (failover) evidence"],
    ["a check that is gone", (run) => run.checks.splice(5, 1), "checks flows-survive (failover)"],
    ["a flow's figure", (run) => (at(run.flows, 2).lost = 1), "flows tcp-002 lost"],
    ["a flow's port", (run) => (at(run.flows, 2).tuple.source.port = 1), "flows tcp-002 tuple source port"],
    ["a flow more", (run) => run.flows.push({ ...at(run.flows, 0), id: "tcp-999" }), "flows tcp-999"],
    ["an outage", (run) => (at(run.outages, 0).networkMs = null), "outages (failover) networkMs"],
    ["a transition that is gone", (run) => run.outages.splice(1, 1), "outages (failback)"],
    ["when it struck", (run) => (run.fault.atMs = null), "fault atMs"],
    ["drops", (run) => run.drops.push({ phase: "failover", firewall: "fw-2", entered: 1, forwarded: 1, dropped: 0, flows: [], answered: [], ruleset: null, disagreement: null }), "drops (failover)"],
  ];

  test.each(cases)("%s", (_, change, what) => {
    const changed = structuredClone(resultOf(6));
    change(changed);
    const differences = compareRuns(written(resultOf(6)), changed).differences.map((difference) => difference.what);
    expect(differences[0]).toContain(what);
    expect(new Set(differences.map((each) => each.replace(/ \d+$/u, ""))).size).toBe(1);
    // And the other way round.
    expect(compareRuns(written(changed), resultOf(6)).differences[0]?.what).toContain(what);
  });
});

test("both values are told", () => {
  const run = { ...resultOf(6), verdict: "fail" as const };
  expect(compareRuns(written(resultOf(6)), run).differences).toEqual([{ what: "verdict", recorded: '"pass"', again: '"fail"' }]);
});

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index}`);
  return item;
}
