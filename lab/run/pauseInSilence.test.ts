import { describe, expect, test } from "vitest";
import { silentProgress } from "../progress/progress.ts";
import { pauseInSilence } from "./pauseInSilence.ts";

class PausedMachine {
  running: boolean;
  pauses = 0;

  constructor(running: boolean) {
    this.running = running;
  }

  runs(): Promise<boolean> {
    return Promise.resolve(this.running);
  }

  pause(): Promise<void> {
    this.running = false;
    this.pauses++;
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.running = true;
    return Promise.resolve();
  }
}

/** Counts that grow by `frames[n]` during the n-th pause, and by one between pauses. */
function speaking(frames: (pause: number) => number): () => number {
  let [sum, looks] = [0, 0];
  return () => {
    sum += looks % 2 === 0 ? 1 : frames((looks - 1) / 2);
    looks++;
    return sum;
  };
}

function told() {
  const notes: string[] = [];
  return { notes, options: { hosts: [], progress: { ...silentProgress, note: (text: string) => void notes.push(text) }, signal: undefined } };
}

describe("a lab is paused in silence", () => {
  test("at once, where nobody speaks", async () => {
    const machines = [new PausedMachine(true), new PausedMachine(true)];
    const { notes, options } = told();
    await pauseInSilence(machines, { ...options, sent: speaking(() => 0) });
    expect(machines.map(({ running, pauses }) => [running, pauses])).toEqual([
      [false, 1],
      [false, 1],
    ]);
    expect(notes).toEqual([]);
  });

  test("again, where somebody spoke during a pause", async () => {
    const machines = [new PausedMachine(true), new PausedMachine(true)];
    const { notes, options } = told();
    await pauseInSilence(machines, { ...options, sent: speaking((pause) => (pause < 2 ? 3 : 0)) });
    expect(machines.map(({ running, pauses }) => [running, pauses])).toEqual([
      [false, 3],
      [false, 3],
    ]);
    expect(notes).toEqual([]);
  });

  test("a machine that was paused before is left as it is", async () => {
    const [frozen, other] = [new PausedMachine(false), new PausedMachine(true)];
    await pauseInSilence([frozen, other], { ...told().options, sent: speaking((pause) => (pause < 1 ? 1 : 0)) });
    expect([frozen.running, frozen.pauses, other.running, other.pauses]).toEqual([false, 0, false, 2]);
  });

  test("where somebody speaks all the time, it is paused all the same, and how much may be lost is told", async () => {
    const machine = new PausedMachine(true);
    const { notes, options } = told();
    await pauseInSilence([machine], { ...options, sent: speaking(() => 4) });
    expect(machine.running).toBe(false);
    expect(notes).toEqual([expect.stringContaining("up to 4 frames")]);
  });

  test("whoever calls it off has it ended between two pauses", async () => {
    const machine = new PausedMachine(true);
    const off = new AbortController();
    const ended = pauseInSilence([machine], { ...told().options, signal: off.signal, sent: speaking(() => 1) });
    off.abort(new Error("called off"));
    await expect(ended).rejects.toThrow();
    expect(machine.running).toBe(true);
  });
});
