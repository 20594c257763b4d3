import { describe, expect, test } from "vitest";
import type { Catcher } from "../evidence/alterations.ts";
import type { Finding } from "../evidence/finding.ts";
import type { FailingCheck, Validation } from "../evidence/validation.ts";
import { outcomeOf } from "./outcome.ts";

const finding = (id: string, severity: Finding["severity"] = "error"): Finding => ({ id, severity, certainty: "certain", machine: "fw-1", file: "fw-1/etc/x", line: 3, wrong: `${id} is wrong`, causes: "harm", remedy: "mend it", explains: [], also: [] });
const check = (id: string, verdict: FailingCheck["verdict"] = "fail"): FailingCheck => ({ id, phase: "failover", verdict, measured: "m", allowed: "a", explanation: "e", explainedBy: [] });
const run = (verdict: "pass" | "fail" | "invalid", ...failing: FailingCheck[]): Validation["run"] => ({ id: "r", bundle: "runs/r", verdict, reason: verdict, failing });

type Seen = Pick<Validation, "verdict" | "reason" | "findings" | "run">;
const seen = (more: Partial<Seen>): Seen => ({ verdict: "pass", reason: "all is well", findings: [], run: null, ...more });

const vrid: Catcher = { by: "finding", id: "vrid-differs" };
const flows: Catcher = { by: "check", id: "flows-survive" };
const mutant = (...caughtBy: Catcher[]) => ({ kind: "mutant" as const, caughtBy, harmless: undefined });
const harmless = { kind: "mutant" as const, caughtBy: [], harmless: "for a reason" };
const variant = { kind: "variant" as const, caughtBy: [], harmless: undefined };

describe("a mutant", () => {
  test.each([
    ["caught by the finding that must", mutant(vrid), seen({ verdict: "fail", findings: [finding("vrid-differs")] }), "caught"],
    ["caught by a warning of that id", mutant(vrid), seen({ findings: [finding("vrid-differs", "warning")] }), "caught"],
    ["not caught by a hint", mutant(vrid), seen({ findings: [finding("vrid-differs", "hint")] }), "escaped"],
    ["not caught by another finding", mutant(vrid), seen({ verdict: "fail", findings: [finding("something-else")] }), "escaped"],
    ["caught by the check that must", mutant(flows), seen({ verdict: "fail", run: run("fail", check("flows-survive")) }), "caught"],
    ["not caught by a check that cannot judge", mutant(flows), seen({ verdict: "fail", run: run("fail", check("flows-survive", "invalid")) }), "escaped"],
    ["not told by a run that cannot judge", mutant(flows), seen({ verdict: "invalid", run: run("invalid", check("flows-survive")) }), "invalid"],
    ["escaped where one of two misses", mutant(vrid, flows), seen({ verdict: "fail", findings: [finding("vrid-differs")], run: run("pass") }), "escaped"],
    ["escaped by the finding, whatever an invalid run hides", mutant(vrid, flows), seen({ verdict: "invalid", run: run("invalid") }), "escaped"],
    ["caught as far as files tell, without a run", mutant(vrid, flows), seen({ verdict: "fail", findings: [finding("vrid-differs")] }), "caught"],
    ["untried without a run, where only a check catches it", mutant(flows), seen({}), "untried"],
    ["harmless as argued", harmless, seen({ run: run("pass") }), "harmless"],
    ["harmful after all when the run fails", harmless, seen({ verdict: "fail", run: run("fail", check("flows-survive")) }), "harmful"],
    ["harmful after all with an error that is not certain", harmless, seen({ findings: [finding("x")] }), "harmful"],
    ["harmless with a warning", harmless, seen({ findings: [finding("x", "warning")] }), "harmless"],
    ["not told harmless by an invalid run", harmless, seen({ verdict: "invalid", run: run("invalid") }), "invalid"],
  ] as const)("is %s", (_, alteration, validation, outcome) => {
    expect(outcomeOf(alteration, validation).outcome).toBe(outcome);
  });
});

describe("a variant", () => {
  test.each([
    ["passes with hints", seen({ findings: [finding("x", "hint")], run: run("pass") }), "passed"],
    ["alarms with a warning", seen({ findings: [finding("x", "warning")], run: run("pass") }), "alarm"],
    ["alarms when its run fails", seen({ verdict: "fail", run: run("fail", check("flows-survive")) }), "alarm"],
    ["is not told by an invalid run", seen({ verdict: "invalid", run: run("invalid") }), "invalid"],
  ] as const)("%s", (_, validation, outcome) => {
    expect(outcomeOf(variant, validation).outcome).toBe(outcome);
  });
});

test("what was found is told once each, findings before checks", () => {
  const { found, caughtBy, told } = outcomeOf(mutant(vrid, flows), seen({ verdict: "fail", findings: [finding("vrid-differs"), finding("vrid-differs"), finding("y", "hint")], run: run("fail", check("flows-survive"), check("flows-survive")) }));
  expect(found).toEqual([vrid, flows]);
  expect(caughtBy).toEqual([vrid, flows]);
  expect(told).toBe("fw-1/etc/x:3: vrid-differs is wrong");
});
