/** How a process ended: by a signal, or with an exit code. */
export interface ProcessEnd {
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
}

/** How a process ended, in words: the signal's name, or "exit code 1". */
export function endInWords({ signal, exitCode }: ProcessEnd): string {
  return signal ?? `exit code ${exitCode ?? "unknown"}`;
}
