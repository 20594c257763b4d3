import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { untilAsleep } from "./asleep.ts";

const pid = 1;

test("two looks at which all threads sleep, one after the other, are enough, and one is not", async () => {
  const looks = [["S", "R"], ["S", "S"], ["R", "S"], ["S", "S"], ["S", "S"], ["R", "R"]];
  let seen = 0;
  expect(await untilAsleep(pid, 60_000, () => (looks[seen++] ?? []).map((state) => ({ state })))).toBe(true);
  expect(seen).toBe(5);
});

test("a process that waits for the disk, or is no more, does not sleep", async () => {
  expect(await untilAsleep(pid, 100, () => [{ state: "D" }])).toBe(false);
  expect(await untilAsleep(pid, 100, () => [])).toBe(false);
});

test("a process that sleeps does, and one that computes does not", async () => {
  const processes = [spawn("sleep", ["60"]), spawn("sh", ["-c", "while :; do :; done"])];
  try {
    const [sleeps, computes] = processes.map((process) => process.pid ?? 0);
    expect(await untilAsleep(sleeps ?? 0, 20_000)).toBe(true);
    expect(await untilAsleep(computes ?? 0, 300)).toBe(false);
  } finally {
    for (const process of processes) process.kill("SIGKILL");
  }
});
