import { describe, expect, test } from "vitest";
import type { Validation } from "../evidence/validation.ts";
import { failedValidation, findings } from "./validation.fixture.ts";
import { renderValidation } from "./validationTerminal.ts";

const folder = "runs/2026-11-21T12-00-00Z-abcd";
const plain = { columns: 100, color: false };

describe("a validation for people", () => {
  test("says verdict and reason before all findings, and these by severity, each with its place", () => {
    const text = renderValidation(failedValidation, folder, plain);
    const places = ["verdict    FAIL", "reason ", "1 error", "fw-2/etc/keepalived/keepalived.conf:35  vrid-differs", "1 warning", "common/etc/sysctl.d/60 firewall.conf  tcp-loose", "1 hint", "flows-survive (failover)", "took "];
    expect(places.map((each) => text.indexOf(each)).every((at, index, all) => at > (all[index - 1] ?? -1))).toBe(true);
    const first = findings[0];
    for (const said of [first?.wrong, first?.causes, first?.remedy, "fw-1/etc/keepalived/keepalived.conf:36", "certain"]) expect(text.replace(/\s+/gu, " ")).toContain(said);
  });

  test("says with each failing check which finding explains it, or that none does", () => {
    const text = renderValidation(failedValidation, folder, plain);
    const [, survive = "", outage = ""] = /flows-survive \(failover\)([\s\S]*)outage-in-bound \(failover\)([\s\S]*)/u.exec(text) ?? [];
    expect(survive).toContain("(vrid-differs)");
    expect(outage).toContain("none: the files do not tell why");
  });

  test("says of files alone that nothing was tried, and of a clean tree that nothing was found", () => {
    const clean: Validation = { ...failedValidation, verdict: "pass", reason: "no certain error", findings: [], run: null, durations: { staticMs: 5_000, dynamicMs: null, totalMs: 5_000 } };
    const text = renderValidation(clean, folder, plain);
    expect(text).toMatch(/nothing was found in the files/u);
    expect(text).toMatch(/run +none/u);
  });

  test.each([60, 80, 120, 300])("keeps to a terminal of %d columns", (columns) => {
    const longest = Math.max(...renderValidation(failedValidation, folder, { columns, color: false }).split("\n").map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(Math.min(columns, 160) + 4);
  });

  test("lets nothing that a tree's line quotes steer the terminal", () => {
    const first = findings[0];
    if (first === undefined) throw new Error("a finding is needed");
    const text = renderValidation({ ...failedValidation, findings: [{ ...first, wrong: "the line \u001b[2J\u0007 is no keyword" }] }, folder, plain);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("paints only where colours are wanted", () => {
    expect(renderValidation(failedValidation, folder, { columns: 100, color: true })).toContain("\u001b[31m");
  });
});
