/** Something that is being waited for. Shown once it takes longer than two seconds; its end is always told to the log of the run. */
export interface Step extends Disposable {
  /** What was seen last, for whoever waits: "kernel started", "3 of 50 flows open". */
  update(seen: string): void;
  /** The wait is over. Disposing without it means that the wait was given up. */
  done(result?: string): void;
}

/** Tells people what is being waited for, on which machine, for how long. */
export interface Progress {
  /** Begins a wait. `machine` names the machine it is about, if it is about one. */
  step(what: string, machine?: string): Step;
  /** A line that stays: a set-up step with its time, a warning. */
  note(line: string): void;
}

/** Progress for callers that show none. */
export const silentProgress: Progress = {
  step: () => ({ update: () => undefined, done: () => undefined, [Symbol.dispose]: () => undefined }),
  note: () => undefined,
};
