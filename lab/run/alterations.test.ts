import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePatch } from "diff";
import { afterEach, beforeEach, expect, test } from "vitest";
import { alterationsSchema, type AlterationRuns } from "../evidence/alterations.ts";
import type { Finding } from "../evidence/finding.ts";
import { readAlterations, type Alteration } from "../mutants/alteration.ts";
import { silentProgress } from "../progress/progress.ts";
import { conductAlterations, exitCodeOfAlterations, type FinishedAlterations } from "./alterations.ts";
import { fixturesFolder } from "./prepare.ts";
import type { Looked, ValidationParts } from "./validate.ts";

let runsFolder: string;
beforeEach(async () => {
  runsFolder = await mkdtemp(join(tmpdir(), "fwlab-alterations-"));
});
afterEach(async () => {
  await rm(runsFolder, { recursive: true });
});

const vridDiffers: Finding = { id: "vrid-differs", severity: "error", certainty: "certain", machine: "fw-2", file: "fw-2/etc/keepalived/keepalived.conf", line: 35, wrong: "another id", causes: "two masters", remedy: "the same id", explains: [], also: [] };

const found = (...findings: readonly Finding[]): Looked => ({ findings, seenBefore: false });

/** Reads the tree that it is given, as the real rule does. */
const look: ValidationParts["look"] = async ({ trees }) => {
  const text = await readFile(join(trees.at(-1) ?? "", "fw-2/etc/keepalived/keepalived.conf"), "utf8");
  return found(...(text.includes("virtual_router_id 12") ? [vridDiffers] : []));
};

interface Conducting {
  readonly looks?: ValidationParts["look"];
  readonly conduct?: ValidationParts["conduct"];
  readonly runs?: AlterationRuns;
  readonly signal?: AbortSignal;
}

const never = () => Promise.reject(new Error("it is not to be called"));

async function conducted(alterations: readonly Alteration[], { looks = look, conduct = never, runs = "none", signal = new AbortController().signal }: Conducting = {}): Promise<FinishedAlterations> {
  return conductAlterations({
    ...{ alterations, runs, flows: undefined, accelerator: "auto", cold: false, runsFolder, progress: silentProgress, signal },
    parts: { compile: ({ trees }) => Promise.resolve(trees), look: looks, conduct, explain: () => [] },
  });
}

const outcomes = ({ alterations }: FinishedAlterations): Record<string, string> => Object.fromEntries(alterations.results.map(({ name, outcome }) => [name, outcome]));

test("each altered tree is validated by itself, and kept with what came of it", async () => {
  const read = await readAlterations(fixturesFolder, undefined, ["vrid-differs", "hash-size-differs", "commit-missing", "vrrp-v2"]);
  // Without a run no check can catch it.
  const chosen = read.map((alteration) => (alteration.name === "commit-missing" ? { ...alteration, caughtBy: [{ by: "check" as const, id: "flows-survive" }] } : alteration));
  const finished = await conducted(chosen);
  expect(outcomes(finished)).toEqual({ "vrid-differs": "caught", "hash-size-differs": "harmless", "commit-missing": "untried", "vrrp-v2": "passed" });
  expect(exitCodeOfAlterations(finished.alterations, undefined)).toBe(0);
  const { folder, alterations } = finished;
  expect(alterationsSchema.parse(JSON.parse(await readFile(join(folder, "mutants.json"), "utf8")))).toEqual(alterations);
  expect(await readFile(join(folder, "vrid-differs/tree/fw-2/etc/keepalived/keepalived.conf"), "utf8")).toContain("virtual_router_id 12");
  const own = alterations.results.find(({ name }) => name === "vrid-differs")?.folder ?? "";
  expect(JSON.parse(await readFile(join(folder, own, "validation.json"), "utf8"))).toMatchObject({ verdict: "fail" });
});

test.each([
  ["needed", ["commit-missing", "vrrp-v2"]],
  ["all", ["commit-missing", "vrid-differs", "vrrp-v2"]],
  ["none", []],
] as const)("with runs that are %s, a failover is tried of %j", async (runs, tried) => {
  const read = await readAlterations(fixturesFolder, undefined, ["vrid-differs", "commit-missing", "vrrp-v2"]);
  const chosen = read.map((alteration) => (alteration.name === "commit-missing" ? { ...alteration, caughtBy: [{ by: "check" as const, id: "flows-survive" }] } : alteration));
  // A run is asked for, and the lab cannot be had.
  const { alterations } = await conducted(chosen, { runs, conduct: () => Promise.reject(new Error("a failover was to be tried")) });
  expect(alterations.runs).toBe(runs);
  expect(alterations.results.filter(({ told }) => told === "a failover was to be tried").map(({ name }) => name)).toEqual(tried);
});

test("a mutant that escapes and a variant that alarms are failures", async () => {
  const [mutant] = await readAlterations(fixturesFolder, undefined, ["vrid-differs"]);
  const [variant] = await readAlterations(fixturesFolder, undefined, ["vrrp-v2"]);
  if (mutant === undefined || variant === undefined) throw new Error("they are in fixtures/");
  const escaped = await conducted([mutant], { looks: () => Promise.resolve(found()) });
  expect([outcomes(escaped), exitCodeOfAlterations(escaped.alterations, undefined)]).toEqual([{ "vrid-differs": "escaped" }, 1]);
  const alarmed = await conducted([variant], { looks: () => Promise.resolve(found(vridDiffers)) });
  expect([outcomes(alarmed), exitCodeOfAlterations(alarmed.alterations, undefined)]).toEqual([{ "vrrp-v2": "alarm" }, 1]);
});

test("what cannot be validated is invalid with its reason, and the next one is tried", async () => {
  const chosen = await readAlterations(fixturesFolder, undefined, ["vrid-differs", "vrrp-v2"]);
  const finished = await conducted(chosen, { looks: (options) => (options.trees[0]?.includes("vrid") === true ? Promise.reject(new Error("no machine came up")) : look(options)) });
  expect(outcomes(finished)).toEqual({ "vrid-differs": "invalid", "vrrp-v2": "passed" });
  expect(finished.alterations.results[0]?.told).toBe("no machine came up");
  expect(exitCodeOfAlterations(finished.alterations, undefined)).toBe(3);
});

test("an interruption keeps what is done, and says that it is not all", async () => {
  const controller = new AbortController();
  const chosen = (await readAlterations(fixturesFolder, ["mutant"])).slice(0, 4);
  let looked = 0;
  const { alterations, interrupted } = await conducted(chosen, {
    signal: controller.signal,
    looks: (options) => {
      looked += 1;
      if (looked === 2) controller.abort(new Error("Ctrl-C"));
      return look(options);
    },
  });
  expect([interrupted?.message, alterations.results.length, alterations.planned]).toEqual(["Ctrl-C", 1, chosen.length]);
});

test("a patch that does not apply is told before any lab comes up", async () => {
  const [mutant] = await readAlterations(fixturesFolder, undefined, ["vrid-differs"]);
  if (mutant === undefined) throw new Error("it is in fixtures/");
  const broken: Alteration = { ...mutant, name: "broken", patches: parsePatch("diff --git a/fw-2/x b/fw-2/x\n--- a/fw-2/x\n+++ b/fw-2/x\n@@ -1 +1 @@\n-a\n+b\n") };
  let looked = 0;
  await expect(conducted([mutant, broken], { looks: () => Promise.resolve((looked++, found())) })).rejects.toThrow(/apply the mutant broken to omarine-snat: fw-2\/x: there is no such file/u);
  expect(looked).toBe(0);
});
