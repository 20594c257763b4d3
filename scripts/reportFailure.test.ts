import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { expect, test } from "vitest";
import { exitCode, Failure } from "../lab/failure/failure.ts";
import { Interrupted } from "./interruption.ts";
import { reportFailure } from "./reportFailure.ts";

function reported(thrown: unknown): { exit: number; text: string } {
  let text = "";
  const exit = reportFailure(thrown, (part) => {
    text += part;
  });
  return { exit, text };
}

test("a failure is one line, and its details are indented", () => {
  const failure = new Failure({ tried: "boot fw-1", seen: "a panic", remedy: "See below", exit: exitCode.invalid, details: ["console: oops"] });
  expect(reported(failure)).toEqual({ exit: 3, text: "fwlab: boot fw-1: a panic. See below\n  console: oops\n" });
});

test.each<readonly [what: string, action: (signal: AbortSignal) => Promise<unknown>]>([
  ["the signal's own reason", (signal) => Promise.reject(signal.reason as Error)],
  ["a timer that was aborted", (signal) => delay(60_000, undefined, { signal })],
  ["a process that was cancelled", (signal) => execa("sleep", ["60"], { cancelSignal: signal })],
])("an interruption is told as one: %s", async (_, action) => {
  const interrupted = AbortSignal.abort(new Interrupted("SIGINT"));
  const thrown = await action(interrupted).catch((error: unknown) => error);
  expect(reported(thrown)).toEqual({ exit: 3, text: "fwlab: interrupted by SIGINT\n" });
  const failure = new Failure({ tried: "make bridges", seen: "canceled", remedy: "Mend it", exit: exitCode.usage, cause: thrown });
  expect(reported(failure)).toEqual({ exit: 3, text: "fwlab: interrupted by SIGINT\n" });
});

test("what nobody foresaw is told with its stack", () => {
  expect(reported(new RangeError("no such thing")).text).toMatch(/^fwlab: unexpected: RangeError: no such thing\n {4}at /u);
});
