import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withLock } from "./lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-lock-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("the second waits, says so, and goes on when the first has ended", async () => {
  const file = join(folder, "lock");
  const events: string[] = [];
  const { signal } = new AbortController();
  const gate = new EventEmitter();
  const first = withLock(file, { signal, onWait: () => events.push("first waits") }, async () => {
    events.push("first");
    await once(gate, "open");
    events.push("first ends");
  });
  await vi.waitFor(() => expect(events).toContain("first"));
  const second = withLock(file, { signal, onWait: () => events.push("second waits") }, () => {
    events.push("second");
    return Promise.resolve("result");
  });
  await vi.waitFor(() => expect(events).toContain("second waits"));
  gate.emit("open");
  await first;
  expect(await second).toBe("result");
  expect(events).toEqual(["first", "second waits", "first ends", "second"]);
});

test("an action that throws gives the lock back", async () => {
  const file = join(folder, "lock");
  const options = { signal: new AbortController().signal, onWait: vi.fn() };
  await expect(withLock(file, options, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await withLock(file, options, () => Promise.resolve());
  expect(options.onWait).not.toHaveBeenCalled();
});

test("waiting ends when the signal aborts", async () => {
  const file = join(folder, "lock");
  const controller = new AbortController();
  await withLock(file, { signal: new AbortController().signal, onWait: () => undefined }, async () => {
    const waiting = withLock(file, { signal: controller.signal, onWait: () => controller.abort(new Error("enough")) }, () => Promise.resolve());
    await expect(waiting).rejects.toThrow("enough");
  });
});

test("a signal that aborts while the lock is held does not give it to the next before the action has ended", async () => {
  const file = join(folder, "lock");
  const controller = new AbortController();
  const events: string[] = [];
  const gate = new EventEmitter();
  const first = withLock(file, { signal: controller.signal, onWait: () => undefined }, async () => {
    controller.abort(new Error("enough"));
    events.push("first cleans up");
    await once(gate, "open");
    events.push("first ends");
  });
  await vi.waitFor(() => expect(events).toContain("first cleans up"));
  const second = withLock(file, { signal: new AbortController().signal, onWait: () => events.push("second waits") }, () => {
    events.push("second");
    return Promise.resolve();
  });
  await vi.waitFor(() => expect(events.at(-1)).toMatch(/^second/u));
  gate.emit("open");
  await Promise.all([first, second]);
  expect(events).toEqual(["first cleans up", "second waits", "first ends", "second"]);
});

test("no lock is taken for a signal that has aborted before", async () => {
  const action = vi.fn(() => Promise.resolve());
  const lock = withLock(join(folder, "lock"), { signal: AbortSignal.abort(new Error("enough")), onWait: () => undefined }, action);
  await expect(lock).rejects.toThrow("enough");
  expect(action).not.toHaveBeenCalled();
});

test("a lock that cannot be had is told in words", async () => {
  const lock = withLock(join(folder, "none", "lock"), { signal: new AbortController().signal, onWait: () => undefined }, () => Promise.resolve());
  await expect(lock).rejects.toMatchObject({ name: "Failure", exit: 2 });
});
