import { expect, test } from "vitest";
import type { Arrival, ComingUp, TroubledUnit } from "../evidence/comingUp.ts";
import { evidenceSchema, type Evidence } from "../evidence/evidence.ts";
import { healthyRun } from "./healthyRun.ts";
import { judge } from "./judge.ts";

const arrival = (what: string, change: Partial<Arrival> = {}): Arrival => ({ what, reached: true, seen: "all well", tookMs: 1500, withinMs: 20_000, ...change });
const owner = arrival("one owner of both virtual addresses", { reached: false, seen: "fw-1 holds 192.168.1.100, fw-2 holds 192.168.1.100", tookMs: 20_100 });
const unit: TroubledUnit = { machine: "fw-2", unit: "keepalived.service", state: "failed", journal: ["starting", "no such interface eth7"] };

function run(change: Partial<ComingUp>, evidence: Partial<Evidence> = {}): Evidence {
  return evidenceSchema.parse({ ...healthyRun(), comingUp: { arrivals: [arrival("all machines start")], units: [], evidence: ["evidence.json"], ...change }, ...evidence });
}
const never: Partial<Evidence> = { transitions: [], flows: [] };
const comesUp = (evidence: Evidence) => judge(evidence).checks.find(({ id }) => id === "comes-up");

test("a pair that came up passes, and in a run of which nothing was asked there is no such check", () => {
  expect(comesUp(run({}))).toMatchObject({ verdict: "pass", phase: "run" });
  expect(judge(run({})).verdict).toBe("pass");
  expect(comesUp(healthyRun())).toBeUndefined();
});

test("a pair that never came to one owner fails, though nothing was struck, and says what was seen last", () => {
  const judgement = judge(run({ arrivals: [arrival("all machines start"), owner] }, never));
  expect(judgement.verdict).toBe("fail");
  expect(judgement.reason).toContain("one owner of both virtual addresses not within 20 s; seen last: fw-1 holds 192.168.1.100, fw-2 holds 192.168.1.100");
});

test("the unit in trouble is named with its last word, also where all else came up", () => {
  expect(comesUp(run({ units: [unit] }))).toMatchObject({ verdict: "fail", explanation: "fw-2: keepalived.service is failed: no such interface eth7" });
});

test("a run that was interrupted, whose host was starved, or in which nothing happened is invalid all the same", () => {
  expect(judge(run({ arrivals: [owner] }, { ...never, interrupted: "Ctrl-C" })).verdict).toBe("invalid");
  expect(judge(run({ arrivals: [owner] }, { ...never, hostHealth: { worstTimerDelayMs: 9000, allowedTimerDelayMs: 500 } })).verdict).toBe("invalid");
  expect(judge(run({}, never)).verdict).toBe("invalid");
});
