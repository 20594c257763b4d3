/** Exit codes of the command line, as the README documents them. */
export const exitCode = { pass: 0, fail: 1, usage: 2, invalid: 3 } as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export interface FailureDetails {
  /** What was tried, on what: "boot fw-1". */
  readonly tried: string;
  /** What was seen instead, in one line. */
  readonly seen: string;
  /** What the reader can do about it, in one line. */
  readonly remedy: string;
  /** `usage` for bad input or a missing host part, `invalid` when the run cannot judge. */
  readonly exit: ExitCode;
  /** More lines for whoever looks closer: last console lines, QEMU's stderr. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/** An error that people read: what was tried, on what, what was seen, what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly tried: string;
  readonly seen: string;
  readonly remedy: string;
  readonly exit: ExitCode;
  readonly details: readonly string[];

  constructor({ tried, seen, remedy, exit, details = [], cause }: FailureDetails) {
    super(`${tried}: ${seen}. ${remedy}`, { cause });
    this.tried = tried;
    this.seen = seen;
    this.remedy = remedy;
    this.exit = exit;
    this.details = details;
  }
}

/** The message of anything thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.replace(/\s*\n\s*/gu, "; ").trim();
}
