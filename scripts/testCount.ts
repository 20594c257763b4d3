/** How many tests passed and failed. Those that were skipped are neither. */
export interface TestCount {
  passed: number;
  failed: number;
}

/** The line that CI reads. */
export function countLine({ passed, failed }: TestCount): string {
  return `${passed} passed, ${failed} failed`;
}

/** The sum of counts. */
export function addUp(counts: readonly TestCount[]): TestCount {
  return { passed: counts.reduce((sum, { passed }) => sum + passed, 0), failed: counts.reduce((sum, { failed }) => sum + failed, 0) };
}

/** What a test file told, in the terms of vitest's `TestModule`. */
export interface ModuleOutcome {
  readonly states: readonly ("passed" | "failed" | "skipped" | "pending")[];
  /** Errors of the file or of a suite's hooks, which belong to no test. */
  readonly errors: number;
}

/**
 * Counts what test files told. A test that was begun and never ended has failed; so has a file whose errors belong to no test: its tests
 * then count as skipped, and would be missed. `unhandled` are errors outside of any file.
 */
export function countTests(modules: readonly ModuleOutcome[], unhandled: number): TestCount {
  const states = modules.flatMap((module) => module.states);
  const failedStates = states.filter((state) => state === "failed" || state === "pending").length;
  return {
    passed: states.filter((state) => state === "passed").length,
    failed: failedStates + modules.reduce((sum, { errors }) => sum + errors, 0) + unhandled,
  };
}
