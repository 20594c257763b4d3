import { createLogUpdate } from "log-update";
import pc from "picocolors";
import type { Progress, Step } from "./progress.ts";

/** A wait is shown from this age on. Milliseconds. */
const shownAfterMs = 2_000;
/** Where lines stay: how often a wait that goes on is told again, at the latest and, when something new was seen, at the earliest. */
const repeatMs = 15_000;
const changeMs = 5_000;
/** Period of looking at the waits: the spinner's on a terminal. */
const frameMs = 100;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;

/** Where progress is written: process.stdout, or a stand-in. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

interface Wait {
  readonly what: string;
  readonly machine: string | undefined;
  readonly beganMs: number;
  seen: string;
  /** When, and with what seen last, it was told as a line; undefined as long as it was not. */
  told: { readonly atMs: number; readonly seen: string } | undefined;
}

/**
 * Progress for people. On a terminal the waits older than two seconds are one live block below the lines that stay; elsewhere (a log file,
 * CI) each is a line when it gets that old, when something new is seen (every 5 s at most), every 15 s, and at its end.
 * Nothing of it keeps the process alive; `dispose` takes the live block away.
 */
export class TerminalProgress implements Progress, Disposable {
  readonly #output: Output;
  readonly #toldAfterMs: number;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #waits = new Set<Wait>();
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;

  /** @param options.verbose tells the end of every wait, however short. */
  constructor(output: Output = process.stdout, { verbose = false } = {}) {
    this.#output = output;
    this.#toldAfterMs = verbose ? 0 : shownAfterMs;
    this.#live = output.isTTY === true ? createLogUpdate(output as unknown as NodeJS.WriteStream, { showCursor: true }) : undefined;
  }

  step(what: string, machine?: string): Step {
    const wait: Wait = { what, machine, beganMs: performance.now(), seen: "", told: undefined };
    this.#waits.add(wait);
    this.#timer ??= setInterval(() => this.#look(), frameMs).unref();
    return {
      update: (seen) => {
        wait.seen = seen;
      },
      done: (result = "done") => this.#end(wait, result),
      [Symbol.dispose]: () => this.#end(wait, wait.seen === "" ? "given up" : `given up, seen last: ${wait.seen}`),
    };
  }

  note(line: string): void {
    this.#keep(line);
  }

  [Symbol.dispose](): void {
    this.#waits.clear();
    this.#rest();
  }

  #end(wait: Wait, result: string): void {
    if (!this.#waits.delete(wait)) {
      return;
    }
    if (performance.now() - wait.beganMs >= this.#toldAfterMs) {
      this.#keep(`${subject(wait)}: ${result} ${pc.dim(`(${age(wait)})`)}`);
    }
    if (this.#waits.size === 0) {
      this.#rest();
    }
  }

  #look(): void {
    const shown = [...this.#waits].filter((wait) => performance.now() - wait.beganMs >= shownAfterMs);
    if (this.#live === undefined) {
      shown.filter(isDue).forEach((wait) => this.#tell(wait));
    } else {
      this.#draw(shown);
    }
  }

  #tell(wait: Wait): void {
    wait.told = { atMs: performance.now(), seen: wait.seen };
    this.#output.write(`${describe(wait)}\n`);
  }

  #draw(shown: readonly Wait[]): void {
    if (shown.length === 0) {
      this.#live?.clear();
      return;
    }
    this.#frame = (this.#frame + 1) % frames.length;
    const width = Math.max(20, (this.#output.columns ?? 80) - 3);
    this.#live?.(shown.map((wait) => `${pc.cyan(frames[this.#frame] ?? "")} ${describe(wait).slice(0, width)}`).join("\n"));
  }

  #keep(line: string): void {
    this.#live?.clear();
    this.#output.write(`${line}\n`);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#live?.clear();
  }
}

function isDue({ told, seen }: Wait): boolean {
  if (told === undefined) {
    return true;
  }
  const sinceMs = performance.now() - told.atMs;
  return sinceMs >= repeatMs || (seen !== told.seen && sinceMs >= changeMs);
}

function subject({ what, machine }: Wait): string {
  return machine === undefined ? what : `${machine}: ${what}`;
}

function age({ beganMs }: Wait): string {
  return `${((performance.now() - beganMs) / 1000).toFixed(1)} s`;
}

function describe(wait: Wait): string {
  const seconds = Math.floor((performance.now() - wait.beganMs) / 1000);
  return `${subject(wait)}: waiting for ${seconds} s${wait.seen === "" ? "" : `, seen last: ${wait.seen}`}`;
}
