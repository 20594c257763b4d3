import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import type { FollowEnd, FollowingShell } from "../machine/shell.ts";
import { measureRealtime } from "./realtimeClock.ts";

function endOf(): { promise: Promise<FollowEnd>; resolve: (end: FollowEnd) => void } {
  let resolve: (end: FollowEnd) => void = () => undefined;
  const promise = new Promise<FollowEnd>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** A machine whose clock is behind, and which answers after so many milliseconds there and back. */
function machine(behindMs: number, trips: readonly (readonly [thereMs: number, backMs: number])[], answer = (nowMs: number) => (nowMs / 1000).toFixed(6)): FollowingShell {
  const unused = () => Promise.reject(new Error("not used"));
  return {
    name: "fw-1",
    address: "10.99.0.12",
    run: unused,
    must: unused,
    follow: (_command, { onLine }) => {
      let trip = 0;
      const { promise: ended, resolve: end } = endOf();
      const respond = async (): Promise<void> => {
        const [thereMs, backMs] = trips[trip++ % trips.length] ?? [0, 0];
        await delay(thereMs);
        const told = answer(performance.timeOrigin + performance.now() - behindMs);
        await delay(backMs);
        onLine(told);
      };
      return Promise.resolve({
        ended,
        write: () => void respond(),
        [Symbol.asyncDispose]: () => {
          end({ exitCode: undefined, stderr: "" });
          return Promise.resolve();
        },
      });
    },
  };
}

test("the offset is right within the error that is told, and the shortest of many round trips counts", async () => {
  const lopsided = [[30, 2], [3, 3], [1, 25]] as const;
  const clock = await measureRealtime(machine(123_456, lopsided), "fw-1#2/realtime");
  expect(clock.clock).toBe("fw-1#2/realtime");
  expect(Math.abs(clock.offsetMs - 123_456)).toBeLessThanOrEqual(clock.errorMs + 1);
  expect(clock.errorMs).toBeLessThan(10);
  expect(Math.abs(clock.measuredAtMs - Date.now())).toBeLessThan(2_000);
});

test("the control: where every way there is longer than the way back, the offset is off by half of it, and the error says so", async () => {
  const { offsetMs, errorMs } = await measureRealtime(machine(5_000, [[40, 0]]), "fw-1/realtime");
  expect(Math.abs(offsetMs - 5_000)).toBeGreaterThan(10);
  expect(Math.abs(offsetMs - 5_000)).toBeLessThanOrEqual(errorMs + 1);
});

test("an answer that is no time, and a machine that ends, are failures that say so", async () => {
  await expect(measureRealtime(machine(0, [[0, 0]], () => ""), "fw-1/realtime")).rejects.toThrow(/said ""/u);
  const dead: FollowingShell = {
    ...machine(0, [[0, 0]]),
    follow: () => Promise.resolve({ ended: Promise.resolve({ exitCode: 127, stderr: "bash: not found\n" }), write: () => undefined, [Symbol.asyncDispose]: () => Promise.resolve() }),
  };
  const failed = await measureRealtime(dead, "fw-1/realtime").catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(Failure);
  expect((failed as Failure).message).toContain("bash: not found");
});
