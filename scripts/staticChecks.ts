import { $ } from "zx";
import type { TestCount } from "./testCount.ts";

const checks = [
  { name: "tsc --noEmit", args: ["node_modules/typescript/bin/tsc", "--noEmit"] },
  { name: "eslint .", args: ["node_modules/eslint/bin/eslint.js", "."] },
] as const;

/** Types and lint, one test each. Prints a line for each, and what the failed ones said. */
export async function checkStatically(root: string, signal: AbortSignal): Promise<TestCount> {
  const count = { passed: 0, failed: 0 };
  for (const { name, args } of checks) {
    if (signal.aborted) {
      break;
    }
    const result = await $({ cwd: root, nothrow: true, quiet: true, signal })`${process.execPath} ${args}`;
    const good = result.exitCode === 0;
    console.log(`${good ? "✓" : "✗"} ${name} ${(result.duration / 1000).toFixed(1)} s`);
    if (!good) {
      console.log(`${result.stdout}${result.stderr}`.trimEnd());
    }
    count[good ? "passed" : "failed"] += 1;
  }
  return count;
}
