import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Finding } from "../evidence/finding.ts";
import { runSchema, type Run } from "../evidence/run.ts";
import { validationSchema } from "../evidence/validation.ts";
import { silentProgress } from "../progress/progress.ts";
import { fixturesFolder } from "./prepare.ts";
import { validate, type FinishedValidation, type ValidationParts } from "./validate.ts";
import { readInput } from "./validationInput.ts";

/** Results of real runs, kept for the judge's tests. */
const recorded = async (name: string): Promise<Run> => runSchema.parse(JSON.parse(await readFile(fileURLToPath(new URL(`../../fixtures/bundles/${name}/run.json`, import.meta.url)), "utf8")));

const finding = (more: Partial<Finding> = {}): Finding => ({
  ...{ id: "conntrackd-disabled", severity: "error", certainty: "certain", machine: "fw-2", file: "fw-2/etc/systemd/system/conntrackd.service", line: null },
  ...{ wrong: "conntrackd is masked", causes: "no state is replicated", remedy: "Unmask it", explains: ["replicated-before", "flows-survive"], also: [] },
  ...more,
});
const hint = finding({ id: "hash-size", severity: "hint", certainty: "possible", explains: [] });
const likely = finding({ id: "tcp-loose", certainty: "likely", line: 7, explains: ["new-connections"] });

let runsFolder: string;
beforeEach(async () => {
  runsFolder = await mkdtemp(join(tmpdir(), "fwlab-validate-"));
});
afterEach(async () => {
  await rm(runsFolder, { recursive: true });
});

interface Told {
  readonly findings?: readonly Finding[];
  readonly run?: Run;
  readonly keepsMachines?: boolean;
  readonly parts?: Partial<ValidationParts>;
}

async function validated({ findings = [], run, keepsMachines = true, parts = {} }: Told): Promise<FinishedValidation> {
  const input = await readInput({ tree: join(fixturesFolder, "omarine-snat"), from: "/" });
  return validate({
    ...{ input, staticOnly: run === undefined, flows: undefined, accelerator: "auto", cold: false, keepsMachines, runsFolder, command: undefined, progress: silentProgress, signal: new AbortController().signal },
    parts: {
      compile: () => Promise.reject(new Error("there is nothing to compile")),
      look: () => Promise.resolve({ findings, seenBefore: false }),
      conduct: () => (run === undefined ? Promise.reject(new Error("no run was wanted")) : Promise.resolve({ run, bundle: join(runsFolder, run.id), interrupted: undefined })),
      explain: (checks, all) => checks.map((check) => ({ check, findings: all.filter(({ explains }) => explains.includes(check.id)) })),
      ...parts,
    },
  });
}

async function bundles(): Promise<{ passing: Run; failing: Run; interrupted: Run }> {
  const [passing, failing, interrupted] = await Promise.all(["pass", "no-conntrackd", "interrupted"].map(recorded));
  if (passing === undefined || failing === undefined || interrupted === undefined) throw new Error("a recorded bundle is missing");
  return { passing, failing, interrupted };
}

describe("the verdict", () => {
  test("of the files alone is a pass without a certain error, and says that nothing was tried", async () => {
    const { validation } = await validated({ findings: [hint, likely] });
    expect(validation).toMatchObject({ verdict: "pass", run: null, durations: { dynamicMs: null } });
    expect(validation.reason).toMatch(/no failover was tried/u);
  });

  test("is a fail for a certain error, which the reason names, whatever the run says", async () => {
    const { passing } = await bundles();
    for (const run of [undefined, passing]) {
      const { validation } = await validated({ findings: [hint, finding()], ...(run && { run }) });
      expect(validation.verdict).toBe("fail");
      expect(validation.reason).toContain("fw-2/etc/systemd/system/conntrackd.service: conntrackd is masked");
    }
  });

  test("is otherwise the run's; a failing run is explained by the finding that explains most", async () => {
    const { passing, failing, interrupted } = await bundles();
    expect((await validated({ findings: [likely], run: passing })).validation.verdict).toBe("pass");
    expect((await validated({ findings: [likely], run: interrupted })).validation.verdict).toBe("invalid");
    const { validation } = await validated({ findings: [likely, finding({ certainty: "possible" })], run: failing });
    expect(validation.verdict).toBe("fail");
    expect(validation.reason).toMatch(/the run fails: .*explained by fw-2\/.*: conntrackd is masked/u);
  });
});

test("each failing check names the findings that explain it, by their places in the sorted list; the others name none", async () => {
  const { failing } = await bundles();
  const { validation } = await validated({ findings: [hint, likely, finding()], run: failing });
  expect(validation.findings.map(({ id }) => id)).toEqual(["conntrackd-disabled", "tcp-loose", "hash-size"]);
  const wanted = failing.checks.filter(({ verdict }) => verdict !== "pass");
  expect(validation.run?.failing.map(({ id, phase }) => [id, phase])).toEqual(wanted.map(({ id, phase }) => [id, phase]));
  const of = (id: string): readonly number[][] => validation.run?.failing.filter((check) => check.id === id).map(({ explainedBy }) => explainedBy) ?? [];
  expect(of("flows-survive").length).toBeGreaterThan(0);
  expect(new Set(of("flows-survive").flat())).toEqual(new Set([0]));
  expect(of("no-drops-on-survivor")).toContainEqual([]);
});

test("the result is written whole, into the run's bundle or a folder of its own", async () => {
  const { passing } = await bundles();
  for (const run of [undefined, passing]) {
    const { validation, folder } = await validated({ findings: [hint], ...(run && { run }) });
    expect(folder).toBe(join(runsFolder, run?.id ?? validation.id));
    expect(validationSchema.parse(JSON.parse(await readFile(join(folder, "validation.json"), "utf8")))).toEqual(validation);
  }
});

test("what a policy is compiled to lies over the trees, in both steps", async () => {
  const input = await readInput({ tree: join(fixturesFolder, "omarine-snat"), from: "/" });
  const { passing } = await bundles();
  const seen: (readonly string[])[] = [];
  await validate({
    ...{ input: { ...input, policy: "/policy.fwb" }, staticOnly: false, flows: undefined, accelerator: "auto", cold: false, keepsMachines: true, runsFolder, command: undefined, progress: silentProgress, signal: new AbortController().signal },
    parts: {
      compile: ({ input: { policy }, trees }) => Promise.resolve([...trees, `${policy ?? ""}.compiled`]),
      look: ({ trees }) => Promise.resolve((seen.push(trees), { findings: [], seenBefore: false })),
      conduct: ({ trees }) => Promise.resolve((seen.push(trees), { run: passing, bundle: join(runsFolder, passing.id), interrupted: undefined })),
      explain: () => [],
    },
  });
  expect(seen).toEqual(Array.from({ length: 2 }, () => [join(fixturesFolder, "omarine-snat"), "/policy.fwb.compiled"]));
});

test.each([
  [true, true, true],
  [true, false, false],
  [false, true, false],
])("machines are kept with a tree: %j where that is wanted, the tree seen before: %j, so %j", async (keepsMachines, seenBefore, kept) => {
  const { passing } = await bundles();
  const conducted: boolean[] = [];
  const parts: Partial<ValidationParts> = {
    look: () => Promise.resolve({ findings: [], seenBefore }),
    conduct: (options) => Promise.resolve((conducted.push(options.keepsMachines), { run: passing, bundle: join(runsFolder, passing.id), interrupted: undefined })),
  };
  await validated({ run: passing, keepsMachines, parts });
  expect(conducted).toEqual([kept]);
});

test("what fails in a step is not hidden", async () => {
  await expect(validated({ parts: { look: () => Promise.reject(new Error("no machine came up")) } })).rejects.toThrow("no machine came up");
});
