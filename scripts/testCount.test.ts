import { expect, test } from "vitest";
import { addUp, countLine, countTests } from "./testCount.ts";

test("skipped tests are neither passed nor failed", () => {
  expect(countTests([{ states: ["passed", "skipped", "failed", "passed"], errors: 0 }], 0)).toEqual({ passed: 2, failed: 1 });
});

test("a file that could not be loaded, a hook that failed and an unhandled error are failures", () => {
  const modules = [
    { states: [], errors: 1 },
    { states: ["skipped", "skipped"], errors: 1 },
  ] as const;
  expect(countTests(modules, 2)).toEqual({ passed: 0, failed: 4 });
});

test("a test that never ended has failed", () => {
  expect(countTests([{ states: ["pending"], errors: 0 }], 0)).toEqual({ passed: 0, failed: 1 });
});

test("the line for CI", () => {
  expect(countLine(addUp([{ passed: 2, failed: 0 }, { passed: 40, failed: 1 }]))).toBe("42 passed, 1 failed");
});
