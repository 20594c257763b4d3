import { describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { FlowLedger } from "../evidence/ledger.ts";
import { runSchema, type CheckResult, type Outage } from "../evidence/run.ts";
import { distributionOf } from "./distribution.ts";
import { healthyRun, story } from "./healthyRun.ts";
import { judge } from "./judge.ts";

function outagesOf(evidence: Evidence): Outage[] {
  return judge(evidence).outages;
}

function failoverOf(evidence: Evidence): { outage: Outage; check: CheckResult } {
  const { outages, checks } = judge(evidence);
  const outage = outages.find(({ phase }) => phase === "failover");
  const check = checks.find(({ id, phase }) => id === "outage-in-bound" && phase === "failover");
  if (outage === undefined || check === undefined) throw new Error("the failover was not judged");
  return { outage, check };
}

/** Lets nothing of a flow arrive from the failover on. */
function kill({ mode, forward, reverse }: FlowLedger): void {
  const before = mode === "idle" ? 0 : 95;
  for (const { received } of [forward, reverse]) {
    received.seq.splice(before);
    received.atMs.splice(before);
  }
}

function killAll(evidence: Evidence, which: (flow: FlowLedger) => boolean): string[] {
  const flows = evidence.flows.filter(which);
  flows.forEach(kill);
  return flows.map(({ id }) => id);
}

describe("outages of a healthy run", () => {
  test("one entry a transition, in the order in which they happened", () => {
    const evidence = healthyRun(12);
    evidence.transitions.reverse();
    expect(outagesOf(evidence).map(({ phase, neverResumed, survived, flows }) => ({ phase, neverResumed, survived, flows }))).toEqual([
      { phase: "failover", neverResumed: [], survived: 12, flows: 12 },
      { phase: "failback", neverResumed: [], survived: 12, flows: 12 },
    ]);
  });

  test("are of that transition, in whole milliseconds", () => {
    const [failover, failback] = outagesOf(healthyRun());
    expect(failover).toMatchObject({ networkMs: story.failoverOutageMs + 100, stalls: { max: story.failoverOutageMs + 100 } });
    expect(failback).toMatchObject({ networkMs: story.failbackOutageMs + 100 });
    const told = [failover, failback].flatMap((outage) => [outage?.networkMs, outage?.longestIdleWaitMs, ...Object.values(outage?.stalls ?? {})]);
    expect(told.every(Number.isInteger)).toBe(true);
  });

  test("are what the check's text tells", () => {
    const { outage, check } = failoverOf(healthyRun(30));
    const { min, median, p95, max } = outage.stalls ?? { min: NaN, median: NaN, p95: NaN, max: NaN };
    expect(check.measured).toContain(`; min ${min} ms, median ${median} ms, p95 ${p95} ms, max ${max} ms over 25 flows; network's own outage by 5 UDP flows ${outage.networkMs ?? NaN} ms; longest wait of 5 idle flows once told ${outage.longestIdleWaitMs ?? NaN} ms`);
  });
});

describe("flows that never resumed", () => {
  test("are named, and no figure is theirs", () => {
    const evidence = healthyRun(12);
    const before = failoverOf(healthyRun(12)).outage;
    const killed = killAll(evidence, ({ id }) => id === "tcp-000");
    const { outage, check } = failoverOf(evidence);
    expect(outage).toMatchObject({ neverResumed: killed, survived: 11, flows: 12, networkMs: before.networkMs });
    expect(check.measured).toContain("over 9 flows");
    expect(check.explanation).toContain("never resumed: tcp-000");
  });

  test("without a UDP flow that resumed the network's own outage is not known", () => {
    const evidence = healthyRun(12);
    const killed = killAll(evidence, ({ kind }) => kind === "udp");
    const { outage, check } = failoverOf(evidence);
    expect(outage).toMatchObject({ networkMs: null, neverResumed: killed, longestIdleWaitMs: expect.any(Number) as number, stalls: { max: expect.any(Number) as number } });
    expect(check.measured).not.toContain("network's own outage");
  });

  test("an idle UDP flow that was told to speak when all was over does not tell the network's outage", () => {
    const evidence = healthyRun();
    evidence.flows = evidence.flows.filter(({ mode }) => mode === "idle").map((flow) => ({ ...flow, kind: "udp" }));
    expect(failoverOf(evidence).outage).toMatchObject({ networkMs: null, stalls: null, longestIdleWaitMs: expect.any(Number) as number });
  });

  test("when none resumed there are no figures", () => {
    const evidence = healthyRun();
    const killed = killAll(evidence, () => true);
    expect(failoverOf(evidence).outage).toMatchObject({ networkMs: null, stalls: null, longestIdleWaitMs: null, neverResumed: killed, survived: 0, flows: 6 });
  });
});

test("a flow that resumed and was otherwise wrong did not survive, and has its stall", () => {
  const evidence = healthyRun();
  for (const flow of evidence.flows) flow.accepted = 2;
  expect(failoverOf(evidence).outage).toMatchObject({ survived: 0, neverResumed: [], networkMs: story.failoverOutageMs + 100 });
});

test("nothing to judge gives no figures, and no transition no entry", () => {
  expect(failoverOf({ ...healthyRun(), flows: [] }).outage).toEqual({ phase: "failover", networkMs: null, stalls: null, longestIdleWaitMs: null, neverResumed: [], survived: 0, flows: 0 });
  expect(failoverOf({ ...healthyRun(), clocks: [] }).outage).toMatchObject({ networkMs: null, stalls: null, survived: 0 });
  expect(outagesOf({ ...healthyRun(), transitions: [] })).toEqual([]);
  expect(outagesOf({ ...healthyRun(), topology: "moebius" })).toEqual([]);
});

describe("a distribution", () => {
  test.each([
    [[], null],
    [[7], { min: 7, median: 7, p95: 7, max: 7 }],
    [[3, 1], { min: 1, median: 2, p95: 3, max: 3 }],
    [[0.4, 2.6], { min: 0, median: 2, p95: 2, max: 3 }],
    [Array.from({ length: 101 }, (_, index) => 100 - index), { min: 0, median: 50, p95: 95, max: 100 }],
  ])("of %j", (lengths, expected) => {
    expect(distributionOf(lengths)).toEqual(expected);
  });

  test("leaves the lengths as they are", () => {
    const lengths = Object.freeze([3, 1, 2]);
    expect(distributionOf(lengths)).toMatchObject({ min: 1, max: 3 });
  });
});

test("a run.json of before there were outages is read as one without entries", () => {
  const run = {
    schema: 1,
    id: "r",
    verdict: "invalid",
    reason: "the run did not finish",
    topology: "primary-backup",
    config: { path: "x", overlays: [], sha256: "ab12".repeat(16) },
    fault: { id: "power-cut", target: "fw-1", atMs: null },
    host: { accelerator: "tcg", accelReason: "", cores: 2, qemu: "", guestKernel: "" },
    flows: [],
    checks: [],
    durations: {},
  };
  expect(runSchema.parse(run).outages).toEqual([]);
});
