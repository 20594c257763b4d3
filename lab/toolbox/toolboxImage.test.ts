import { expect, test } from "vitest";
import { hostPrograms } from "../host/requirements.ts";
import { toolboxBase } from "./toolboxImage.ts";
import { toolboxPackages } from "./toolboxPackages.ts";

test("the toolbox has every package that a lab's host is asked for, once, and no browser", () => {
  const packages = toolboxPackages();
  expect(packages).toEqual(expect.arrayContaining([...new Set(Object.values(hostPrograms.everyone))]));
  expect(new Set(packages).size).toBe(packages.length);
  expect(packages).not.toContain("chromium");
});

test("its base is Node's image, unless another is named", () => {
  expect([toolboxBase({}), toolboxBase({ FWLAB_TOOLBOX_BASE: "" }), toolboxBase({ FWLAB_TOOLBOX_BASE: "mine:1" })]).toEqual(["node:20-bookworm-slim", "node:20-bookworm-slim", "mine:1"]);
});
