import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pairConfig, readPair } from "../config/pair.ts";
import { findingsOf } from "../findings/findings.ts";
import { readAlterations, type Alteration } from "../mutants/alteration.ts";
import { applyAlteration } from "../mutants/applied.ts";
import { fixturesFolder } from "./prepare.ts";
import { topologyOf } from "./topologyOf.ts";

/** Findings of the guests' own checkers, and of rules over the rulesets that guests have loaded: the files alone do not tell them. */
const toldByGuests = new Set([
  ...["iptables-check", "nft-check", "keepalived-check", "conntrackd-check", "sysctl-unknown"],
  ...["denied-service-allowed", "established-not-accepted", "mid-stream-new-accepted", "nat-differs", "out-of-state-rejected", "ruleset-differs", "ruleset-missing", "snat-own-address", "sync-blocked", "vrrp-blocked"],
]);

const catalogue = await readAlterations(fixturesFolder);
const mutants = catalogue.filter(({ kind }) => kind === "mutant");
const variants = catalogue.filter(({ kind }) => kind === "variant");

/** What rules over the files alone find in an altered tree. */
async function found({ base, ...alteration }: Alteration) {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-catalogue-"));
  try {
    await applyAlteration({ ...alteration, base }, join(fixturesFolder, base), folder);
    return findingsOf(pairConfig(await readPair(await topologyOf(folder), [folder])));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("the catalogue has no fewer trees than it promises", () => {
  expect(mutants.length).toBeGreaterThanOrEqual(40);
  expect(variants.length).toBeGreaterThanOrEqual(15);
});

describe("a mutant, by its files alone", () => {
  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))("%s", async (_, mutant) => {
    const findings = await found(mutant);
    const wanted = mutant.caughtBy.filter(({ by, id }) => by === "finding" && !toldByGuests.has(id)).map(({ id }) => id);
    expect(findings.map(({ id }) => id)).toEqual(expect.arrayContaining(wanted));
    if (mutant.harmless !== undefined) expect(findings.filter(({ severity }) => severity !== "hint")).toEqual([]);
  });
});

describe("a variant has no finding above a hint", () => {
  test.each(variants.map((variant) => [variant.name, variant] as const))("%s", async (_, variant) => {
    expect((await found(variant)).filter(({ severity }) => severity !== "hint")).toEqual([]);
  });
});
