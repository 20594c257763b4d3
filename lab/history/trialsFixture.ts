import { readFileSync } from "node:fs";
import type { HistoryEntry } from "../evidence/history.ts";
import { trialsSchema, type Trial, type Trials } from "../evidence/trials.ts";
import { entryOfTrials } from "./entryOf.ts";
import { pooled, type Subject } from "./pooled.ts";

/** Trials as an fwlab wrote them, for tests. */
export function recordedTrials(name: string): Trials {
  return trialsSchema.parse(JSON.parse(readFileSync(new URL(`recorded/${name}.json`, import.meta.url), "utf8")));
}

/** The line that trials have in a history. `change` replaces some of it. */
export function entryOf(trials: Trials, change: Partial<HistoryEntry> = {}): HistoryEntry {
  return { ...entryOfTrials(trials, { folder: trials.id, begunAt: new Date("2026-11-20T20:00:00Z"), project: "/project" }), ...change };
}

/** Some trials of others, as if no more had been made. */
export function subjectOfTrials(name: string, trials: Trials, some: readonly Trial[] = trials.trials): Subject {
  return pooled(name, [entryOf({ ...trials, id: name, trials: [...some] })]);
}

/** The trial, slower by so many milliseconds. */
export function slowed(trial: Trial, byMs: number): Trial {
  const { outage } = trial;
  if (outage?.networkMs == null || outage.stalls === null) throw new Error(`trial ${trial.number} tells no outage`);
  return { ...trial, outage: { ...outage, networkMs: outage.networkMs + byMs, stalls: { ...outage.stalls, max: outage.stalls.max + byMs } } };
}
