import { expect, test } from "vitest";
import { hostChoice } from "./hostChoice.ts";

test.each<readonly [args: readonly string[], host: string | undefined, rest: readonly string[]]>([
  [["start", "--flows", "3"], undefined, ["start", "--flows", "3"]],
  [["start", "--host", "container", "--flows", "3"], "container", ["start", "--flows", "3"]],
  [["test", "--host=container", "suites/hand"], "container", ["test", "suites/hand"]],
  [["start", "--host", "local"], "local", ["start"]],
  [["start", "--host"], undefined, ["start", "--host"]],
  [["test", "--", "--host", "container"], undefined, ["test", "--", "--host", "container"]],
  [["ssh", "fw-1", "--host", "container"], undefined, ["ssh", "fw-1", "--host", "container"]],
])("%j", (args, host, rest) => {
  expect(hostChoice(args)).toEqual({ host, rest });
});
