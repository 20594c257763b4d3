import type { FlowMode } from "../evidence/ledger.ts";

/** Which flows moved again after a moment, and when the last of each one's speaking directions did (host's epoch clock). */
export interface Resumption {
  readonly resumedAtMs: ReadonlyMap<string, number>;
  readonly notResumed: readonly string[];
}

/** Directions in which a flow of this mode speaks of its own accord or in answer. */
export function speakingDirections(mode: FlowMode, woken: boolean): readonly ("forward" | "reverse")[] {
  switch (mode) {
    case "client":
      return ["forward"];
    case "server":
      return ["reverse"];
    case "both":
    case "request":
      return ["forward", "reverse"];
    case "idle":
      return woken ? ["reverse"] : [];
  }
}
