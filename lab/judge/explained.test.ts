import { expect, test } from "vitest";
import type { Finding } from "../evidence/finding.ts";
import type { CheckResult } from "../evidence/run.ts";
import { bestExplanation, explainedReason, explanations } from "./explained.ts";

const check = (id: string, verdict: CheckResult["verdict"] = "fail", phase: CheckResult["phase"] = "failover"): CheckResult => ({ id, phase, verdict, measured: "", allowed: "", explanation: "", evidence: [] });

function finding(id: string, explains: string[], change: Partial<Finding> = {}): Finding {
  return { id, severity: "error", certainty: "certain", machine: "fw-2", file: "fw-2/etc/nftables.conf", line: 12, wrong: `${id} is wrong`, causes: "flows die", remedy: "mend it", explains, also: [], ...change };
}

const ids = (findings: readonly Finding[] | undefined) => findings?.map(({ id }) => id);

test("each failing check gets the findings that name it, and no other check any", () => {
  const told = explanations([check("flows-survive"), check("vips-moved", "pass"), check("fault-bit", "invalid"), check("outage-in-bound")], [finding("snat-missing", ["flows-survive", "vips-moved", "fault-bit"])]);
  expect(told.map(({ check: { id }, findings }) => [id, ids(findings)])).toEqual([
    ["flows-survive", ["snat-missing"]],
    ["outage-in-bound", []],
  ]);
});

test("the gravest comes first, then the surest, then the one that explains most, then the first", () => {
  const findings = [
    finding("first", ["flows-survive"]),
    finding("hint", ["flows-survive", "state-on-survivor"], { severity: "hint" }),
    finding("likely", ["flows-survive", "state-on-survivor"], { certainty: "likely" }),
    finding("second", ["flows-survive"]),
    finding("warning", ["flows-survive", "state-on-survivor"], { severity: "warning" }),
    finding("most", ["flows-survive", "state-on-survivor"]),
  ];
  const [told] = explanations([check("flows-survive"), check("state-on-survivor")], findings);
  expect(ids(told?.findings)).toEqual(["most", "first", "second", "likely", "warning", "hint"]);
});

test("a check that fails on both ways counts once for each", () => {
  const checks = [check("flows-survive"), check("replicated-before"), check("replicated-before", "fail", "failback")];
  expect(bestExplanation(checks, [finding("one", ["flows-survive"]), finding("two", ["replicated-before"])])?.id).toBe("two");
});

test("the reason names the place, and stays as it is when nothing explains it", () => {
  const checks = [check("flows-survive")];
  expect(explainedReason("flows died", checks, [finding("snat-missing", ["flows-survive"])])).toBe("flows died; explained by fw-2/etc/nftables.conf:12 (snat-missing, certain): snat-missing is wrong");
  expect(explainedReason("flows died", checks, [finding("file-missing", ["flows-survive"], { line: null })])).toContain("explained by fw-2/etc/nftables.conf (file-missing");
  expect(explainedReason("flows died", checks, [finding("vrid-differs", ["comes-up"])])).toBe("flows died");
});
