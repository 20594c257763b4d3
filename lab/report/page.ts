import pc from "picocolors";
import type { Run, Verdict } from "../evidence/run.ts";
import { wrapped } from "./wrapped.ts";

/** How the terminal is. */
export interface TerminalLook {
  /** Width in characters. */
  readonly columns: number;
  readonly color: boolean;
}

/** What a report is written with, so that all reports look alike. */
export interface Page {
  /** Widest line, in characters. */
  readonly width: number;
  readonly colors: ReturnType<typeof pc.createColors>;
  /** The colour of each verdict. */
  readonly paint: Readonly<Record<Verdict, (text: string) => string>>;
  /** A fact with its name, wrapped. */
  readonly fact: (name: string, text: string) => string;
  /** The verdict as a fact, in its colour. */
  readonly verdictFact: (verdict: Verdict) => string;
}

/** Widest line that people still read. */
const widest = 160;

/** A page as wide as the terminal, between 60 and 160 characters. */
export function pageOf({ columns, color }: TerminalLook): Page {
  const width = Math.min(Math.max(columns, 60), widest);
  const colors = pc.createColors(color);
  const paint = { pass: colors.green, fail: colors.red, invalid: colors.yellow };
  const fact = (name: string, text: string) => `${colors.dim(name.padEnd(10))} ${wrapped(text, width - 11, 11)}`;
  const verdictFact = (verdict: Verdict) => fact("verdict", verdict.toUpperCase()).replace(verdict.toUpperCase(), (word) => colors.bold(paint[verdict](word)));
  return { width, colors, paint, fact, verdictFact };
}

/** Which topology and config tree, and on what machines: the same two facts in every report. */
export function groundFacts({ topology, config, host }: Pick<Run, "topology" | "config" | "host">, { fact }: Page): string[] {
  return [
    fact("topology", `${topology}, config ${[config.path, ...config.overlays].join(" + ")} (sha256 ${config.sha256.slice(0, 12)})`),
    fact("machines", `${host.accelerator}: ${host.accelReason}; ${host.cores} cores, QEMU ${host.qemu}, guest kernel ${host.guestKernel}`),
  ];
}
