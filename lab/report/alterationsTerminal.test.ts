import { expect, test } from "vitest";
import type { AlterationOutcome, AlterationResult, Alterations } from "../evidence/alterations.ts";
import { renderAlterations } from "./alterationsTerminal.ts";

const result = (name: string, outcome: AlterationOutcome, more: Partial<AlterationResult> = {}): AlterationResult => ({
  ...{ name, kind: "mutant", base: "omarine-snat", why: `why ${name} matters`, outcome, told: `seen of ${name}`, verdict: "fail", folder: `${name}/x`, findings: [] },
  ...{ expected: [{ by: "finding", id: "vrid-differs" }], caughtBy: [], found: [], durations: { staticMs: 5_000, dynamicMs: null } },
  ...more,
});
const all: Alterations = {
  ...{ schema: 1, id: "2026-11-21T12-00-00Z-abcd", runs: "needed", planned: 6 },
  results: [
    result("vrid-differs", "caught", { caughtBy: [{ by: "finding", id: "vrid-differs" }], found: [{ by: "finding", id: "vrid-differs" }] }),
    result("commit-missing", "escaped", { expected: [{ by: "check", id: "flows-survive" }], durations: { staticMs: 5_000, dynamicMs: 40_000 } }),
    result("hash-size-differs", "harmless", { expected: [] }),
    result("unicast-peers", "alarm", { kind: "variant", expected: [], found: [{ by: "check", id: "vips-moved" }] }),
    result("vrrp-v2", "passed", { kind: "variant", expected: [] }),
  ],
};

test("mutants and variants are a line each, and those that are not as they must be are explained", () => {
  const text = renderAlterations(all, "runs/x", { columns: 120, color: false });
  const row = (name: string): string => text.split("\n").find((line) => line.startsWith(name)) ?? "";
  expect(row("vrid-differs")).toMatch(/mutant +caught +static +vrid-differs +vrid-differs +5\.0 s/u);
  expect(row("commit-missing")).toMatch(/mutant +escaped +- +check:flows-survive +- +45\.0 s/u);
  expect(row("unicast-peers")).toMatch(/variant +alarm +dynamic +- +check:vips-moved/u);
  for (const told of ["why commit-missing matters", "missed   check:flows-survive", "seen of unicast-peers"]) expect(text).toContain(told);
  expect(text).not.toContain("why vrrp-v2 matters");
  expect(text.replace(/\s+/gu, " ")).toContain("3 mutants: 1 caught, 1 escaped, 1 harmless as argued, 0 harmful after all; 2 variants: 1 passed, 1 false alarms; 1 not made");
});

test.each([80, 100, 200])("no line is wider than a terminal of %d columns", (columns) => {
  for (const line of renderAlterations(all, "runs/x", { columns, color: false }).split("\n")) expect(line.length).toBeLessThanOrEqual(Math.min(columns, 160));
});
