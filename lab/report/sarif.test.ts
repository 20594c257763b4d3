import { readFile } from "node:fs/promises";
import Ajv, { type ValidateFunction } from "ajv-draft-04";
import formats from "ajv-formats";
import { beforeAll, describe, expect, test } from "vitest";
import type { Validation } from "../evidence/validation.ts";
import { sarifOf } from "./sarif.ts";
import { failedValidation, findings } from "./validation.fixture.ts";

/** The standard's own schema: OASIS SARIF 2.1.0, rtm.5, as it was published. */
let standard: ValidateFunction;
beforeAll(async () => {
  const schema = JSON.parse(await readFile(new URL("recorded/sarif-schema-2.1.0.json", import.meta.url), "utf8")) as Parameters<InstanceType<typeof Ajv.default>["compile"]>[0];
  const ajv = new Ajv.default({ strict: false, allErrors: true, unicodeRegExp: false });
  formats.default(ajv);
  standard = ajv.compile(schema);
});

const place = { version: "0.1.0", inRepository: (file: string) => `site/pair/${file}` };
const passed: Validation = { ...failedValidation, verdict: "pass", findings: [], run: null };

function errors(log: unknown): unknown {
  standard(log);
  return standard.errors;
}

describe("a validation as SARIF", () => {
  test("is what the standard says, with findings and without; and the standard's schema does refuse what is not", () => {
    expect(errors(sarifOf(failedValidation, place))).toBeNull();
    expect(errors(sarifOf(passed, place))).toBeNull();
    expect(errors({ ...sarifOf(passed, place), version: "2.0" })).not.toBeNull();
    const log = sarifOf(failedValidation, place);
    expect(errors({ ...log, runs: log.runs.map((run) => ({ ...run, results: run.results?.map((result) => ({ ...result, level: "hint" })) })) })).not.toBeNull();
  });

  test("has a result for each finding, at its line in the repository, with its rule and level", () => {
    const [run] = sarifOf(failedValidation, place).runs;
    const rules = run?.tool.driver.rules ?? [];
    expect(run?.results?.map(({ ruleId, ruleIndex = -1, level }) => [ruleId, rules[ruleIndex]?.id, level])).toEqual([
      ["vrid-differs", "vrid-differs", "error"],
      ["tcp-loose", "tcp-loose", "warning"],
      ["hash-size-differs", "hash-size-differs", "note"],
    ]);
    expect(run?.results?.map(({ locations }) => locations?.[0]?.physicalLocation)).toEqual([
      { artifactLocation: { uri: "site/pair/fw-2/etc/keepalived/keepalived.conf", uriBaseId: "%SRCROOT%" }, region: { startLine: 35 } },
      { artifactLocation: { uri: "site/pair/common/etc/sysctl.d/60%20firewall.conf", uriBaseId: "%SRCROOT%" }, region: { startLine: 1 } },
      { artifactLocation: { uri: "site/pair/fw-2/etc/conntrackd/conntrackd.conf", uriBaseId: "%SRCROOT%" }, region: { startLine: 18 } },
    ]);
    expect(run?.results?.[0]?.relatedLocations?.[0]?.physicalLocation?.artifactLocation?.uri).toBe("site/pair/fw-1/etc/keepalived/keepalived.conf");
    expect(rules.every(({ help, shortDescription, fullDescription }) => help?.text && shortDescription?.text && fullDescription?.text)).toBe(true);
  });

  test("tells a failing check with the finding that explains it, and beside the results where none does", () => {
    const [run] = sarifOf(failedValidation, place).runs;
    expect(run?.results?.[0]?.message.text).toContain("flows-survive (failover)");
    expect(run?.results?.slice(1).some(({ message }) => message.text?.includes("failover"))).toBe(false);
    expect(run?.invocations?.[0]?.toolExecutionNotifications?.map(({ descriptor }) => descriptor?.id)).toEqual(["outage-in-bound"]);
    expect(run?.invocations?.[0]?.executionSuccessful).toBe(true);
    expect(sarifOf({ ...passed, verdict: "invalid" }, place).runs[0]?.invocations?.[0]?.executionSuccessful).toBe(false);
  });

  test("fingerprints a finding the same when its line moves, and apart from every other", () => {
    const [first, ...rest] = findings;
    if (first === undefined) throw new Error("a finding is needed");
    const of = (all: typeof findings) => sarifOf({ ...failedValidation, findings: [...all], run: null }, place).runs[0]?.results?.map(({ partialFingerprints }) => partialFingerprints?.["fwlabFinding/v1"]) ?? [];
    expect(of([{ ...first, line: 99 }, ...rest])).toEqual(of(findings));
    const twice = of([first, first, ...rest]);
    expect(new Set(twice).size).toBe(4);
  });
});
