import { beforeAll, describe, expect, test } from "vitest";
import type { AlterationRuns, Alterations } from "../../lab/evidence/alterations.ts";
import { readAlterations } from "../../lab/mutants/alteration.ts";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import { conductAlterations } from "../../lab/run/alterations.ts";
import { fixturesFolder, runsFolder } from "../../lab/run/prepare.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import { validationParts } from "../../lab/run/validationParts.ts";

/** For each tree, on a slow host. */
const withinMs = 4 * 60_000;

/**
 * Of the catalogue, what its unit test cannot tell by the files alone: what guests answer, and what a run shows. `fwlab mutants` makes the rest of it, every night.
 */
function validated(runs: AlterationRuns, names: readonly string[]): () => Alterations["results"] {
  let results: Alterations["results"] | undefined;
  beforeAll(async () => {
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    const signal = AbortSignal.timeout(names.length * withinMs);
    const { alterations, interrupted } = await conductAlterations({
      ...{ alterations: await readAlterations(fixturesFolder, undefined, names), runs, flows: undefined, accelerator: "auto", cold: process.env[coldSuites] !== undefined },
      ...{ runsFolder, parts: validationParts, progress, signal },
    });
    if (interrupted !== undefined) throw interrupted;
    results = alterations.results;
  }, (names.length + 1) * withinMs);
  return () => {
    if (results === undefined) throw new Error("they have not been validated");
    return results;
  };
}

const outcomesOf = (results: Alterations["results"]): Record<string, string> => Object.fromEntries(results.map(({ name, outcome }) => [name, outcome]));

describe("by what guests answer", () => {
  const results = validated("none", ["conntrackd-misspelled", "vrrp-blocked-on-fw-2", "test-case-policy-accept"]);

  test("each mutant is caught", () => {
    expect(outcomesOf(results())).toEqual({ "conntrackd-misspelled": "caught", "vrrp-blocked-on-fw-2": "caught", "test-case-policy-accept": "caught" });
  });
});

describe("by a run", () => {
  const results = validated("needed", ["table-flushed-after-commit", "ipset"]);

  test("a mutant that no finding tells of is caught by the checks that it is made for, and a variant passes", () => {
    expect(outcomesOf(results())).toEqual({ "table-flushed-after-commit": "caught", ipset: "passed" });
    for (const { kind, found } of results()) expect(new Set(found.map(({ by }) => by))).toEqual(new Set(kind === "mutant" ? ["check"] : []));
  });
});
