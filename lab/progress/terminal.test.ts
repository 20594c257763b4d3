import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TerminalProgress, type Output } from "./terminal.ts";

let written: string[];
beforeEach(() => {
  vi.useFakeTimers();
  written = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function output(isTTY: boolean): Output {
  return { isTTY, columns: 60, write: (text: string) => written.push(text) };
}

/** What was written, as lines without colours. */
function lines(): string[] {
  return stripVTControlCharacters(written.join("")).split("\n").filter((line) => line.trim() !== "");
}

describe("where lines stay", () => {
  test("a short wait is silent", () => {
    const progress = new TerminalProgress(output(false));
    const step = progress.step("boot", "fw-1");
    vi.advanceTimersByTime(1_900);
    step.done();
    vi.advanceTimersByTime(60_000);
    expect(lines()).toEqual([]);
  });

  test("a wait is told after 2 s, again every 15 s, and at its end", () => {
    const progress = new TerminalProgress(output(false));
    const step = progress.step("boot", "fw-1");
    vi.advanceTimersByTime(33_000);
    step.done("up");
    expect(lines()).toEqual(["fw-1: boot: waiting for 2 s", "fw-1: boot: waiting for 17 s", "fw-1: boot: waiting for 32 s", "fw-1: boot: up (33.0 s)"]);
  });

  test("something new is told, but not more often than every 5 s", () => {
    const progress = new TerminalProgress(output(false));
    const step = progress.step("open flows");
    for (let count = 0; count < 100; count += 1) {
      step.update(`${count} of 100`);
      vi.advanceTimersByTime(100);
    }
    step.done();
    expect(lines()).toEqual([
      "open flows: waiting for 2 s, seen last: 19 of 100",
      "open flows: waiting for 7 s, seen last: 69 of 100",
      "open flows: done (10.0 s)",
    ]);
  });

  test("a wait that is given up says so, once", () => {
    const progress = new TerminalProgress(output(false));
    {
      using step = progress.step("boot", "fw-1");
      vi.advanceTimersByTime(4_000);
      step.update("kernel started");
    }
    expect(lines().at(-1)).toBe("fw-1: boot: given up, seen last: kernel started (4.0 s)");
    {
      using step = progress.step("boot", "fw-2");
      vi.advanceTimersByTime(4_000);
      step.done("up");
    }
    expect(lines().at(-1)).toBe("fw-2: boot: up (4.0 s)");
  });
});

describe("on a terminal", () => {
  test("old waits are one live block, cut to the width, and notes stay above it", () => {
    const progress = new TerminalProgress(output(true));
    using first = progress.step("boot", "fw-1");
    using second = progress.step("boot", "fw-2");
    vi.advanceTimersByTime(2_500);
    first.update("x".repeat(100));
    second.update("kernel started");
    vi.advanceTimersByTime(200);
    const block = lines().slice(-2);
    expect(block[0]).toMatch(/^. fw-1: boot: waiting for 2 s, seen last: x+$/u);
    expect(block[0]?.length).toBeLessThan(60);
    expect(block[1]).toMatch(/^. fw-2: boot: waiting for 2 s, seen last: kernel started$/u);
    progress.note("built the image");
    expect(lines().at(-1)).toBe("built the image");
    first.done("up");
    expect(lines().at(-1)).toBe("fw-1: boot: up (2.7 s)");
  });
});
