import { $ } from "zx";
import type { TestCount } from "./testCount.ts";

const checks = [
  { name: "tsc --noEmit", args: ["node_modules/typescript/bin/tsc", "--noEmit"] },
  { name: "eslint .", args: ["node_modules/eslint/bin/eslint.js", "."] },
] as const;

/** Types and lint, one test each, side by side. Prints a line for each, and what the failed ones said. */
export async function checkStatically(root: string, signal: AbortSignal): Promise<TestCount> {
  const good = await Promise.all(
    checks.map(async ({ name, args }) => {
      const result = await $({ cwd: root, nothrow: true, quiet: true, signal })`${process.execPath} ${args}`;
      const passed = result.exitCode === 0;
      console.log(`${passed ? "✓" : "✗"} ${name} ${(result.duration / 1000).toFixed(1)} s${passed ? "" : `\n${`${result.stdout}${result.stderr}`.trimEnd()}`}`);
      return passed;
    }),
  );
  const passed = good.filter(Boolean).length;
  return { passed, failed: good.length - passed };
}
