import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { complaintOf, membersOf, warningsOf } from "./fwbIptAnswer.ts";

const recorded = (name: string): string => readFileSync(new URL(`recorded/fwb-ipt-${name}.txt`, import.meta.url), "utf8");
const policy = '<FWObjectDatabase>\n<OSrc neg="False">\n<ObjectRef ref="id7777X1"/>\n</OSrc>\n</FWObjectDatabase>\n';

describe("what fwb_ipt complains of, in its own words", () => {
  test.each<readonly [string, string, number | undefined]>([
    ["not-found", "Firewall object 'fw-2' not found", undefined],
    ["parser", "parser error : AttValue: ' expected", 367],
    ["old", "Data file has been created in the old version of Firewall Builder. Use fwbuilder GUI to convert it.", undefined],
    ["newer", "The file 'policy.fwb' was created by a newer version of Firewall Builder, please upgrade in order to open this file.", undefined],
    ["validity", 'element ObjectRef: validity error : IDREF attribute ref references an unknown ID "id7777X1"', 3],
    ["host-os", "Unrecognized host OS openbsd  (family openbsd)", undefined],
    ["empty-group", "fw-2:NAT:0: error: Empty group or address table object 'Groups' is used in the rule but option 'Ignore rules with empty groups' is off", undefined],
    ["cluster-error", "pair:NAT:0: error: Empty group or address table object 'Groups' is used in the rule but option 'Ignore rules with empty groups' is off", undefined],
  ])("%s", (name, words, line) => {
    expect(complaintOf(recorded(name), policy)).toEqual({ words, line });
  });

  test("nothing, when both members of a cluster were compiled", () => {
    expect(complaintOf(recorded("cluster"), policy)).toBeUndefined();
    expect(warningsOf(recorded("cluster"))).toEqual([]);
  });
});

test("members of a cluster are told, also when its rules do not compile", () => {
  expect(membersOf(recorded("cluster"))).toEqual(["fw-1", "fw-2"]);
  expect(membersOf(recorded("cluster-error"))).toEqual(["fw-1", "fw-2"]);
  expect(membersOf(recorded("empty-group"))).toEqual([]);
});
