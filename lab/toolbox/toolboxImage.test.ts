import { expect, test } from "vitest";
import { hostPrograms } from "../host/requirements.ts";
import { toolboxBase } from "./toolboxImage.ts";
import { toolboxPackages } from "./toolboxPackages.ts";

test.each(["lab", "tests"] as const)("a toolbox for %s has every package that a lab's host is asked for, once", (purpose) => {
  const packages = toolboxPackages(purpose);
  expect(packages).toEqual(expect.arrayContaining([...new Set(Object.values(hostPrograms.everyone))]));
  expect(new Set(packages).size).toBe(packages.length);
});

test("what tests call is in the one for tests; the browser, which is large, in that one alone", () => {
  const [lab, tests] = [toolboxPackages("lab"), toolboxPackages("tests")];
  expect(tests).toEqual(expect.arrayContaining(Object.keys(hostPrograms.tests)));
  expect(tests.filter((name) => !lab.includes(name))).toEqual(["chromium"]);
});

test("its base is Node's image, unless another is named", () => {
  expect([toolboxBase({}), toolboxBase({ FWLAB_TOOLBOX_BASE: "" }), toolboxBase({ FWLAB_TOOLBOX_BASE: "mine:1" })]).toEqual(["node:20-bookworm-slim", "node:20-bookworm-slim", "mine:1"]);
});
