import { expect, test } from "vitest";
import { findingsAfter } from "./brokenPair.fixture.ts";

test("the reference tree has no finding", async () => {
  expect(await findingsAfter()).toEqual([]);
});
