import type { Run } from "../evidence/run.ts";
import type { Trials } from "../evidence/trials.ts";

/** Something that a bundle tells otherwise than it is judged now. Values are JSON, or words in brackets. */
export interface Difference {
  /** Where: `verdict`, `checks flows-survive (failover) measured`. */
  readonly what: string;
  readonly recorded: string;
  readonly again: string;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Parts that the recorded one does not have, because its fwlab did not know them. */
  readonly notCompared: readonly string[];
}

/** Parts of `run.json` that follow from the evidence. The others (host, durations, command) say how the run came about. */
const judgedParts = ["verdict", "reason", "fault", "checks", "outages", "flows", "timelines", "drops"] as const satisfies readonly (keyof Run)[];

/** Parts of `trials.json` that follow from the trials' evidence. */
const summedParts = ["verdict", "reason", "trials", "summary"] as const satisfies readonly (keyof Trials)[];

/**
 * In what a run as it was recorded differs from the same run as judged again. Fields that the recorded one lacks are not compared, so that an older
 * fwlab's bundle agrees on what it has; a check, flow or transition that only one of them has is a difference.
 * @param recorded `run.json` as it stands, without defaults for what it lacks.
 */
export function compareRuns(recorded: Readonly<Record<string, unknown>>, again: Run): Comparison {
  return compareParts(recorded, again, judgedParts);
}

/** As compareRuns, for trials. */
export function compareTrials(recorded: Readonly<Record<string, unknown>>, again: Trials): Comparison {
  return compareParts(recorded, again, summedParts);
}

function compareParts<T extends object>(recorded: Readonly<Record<string, unknown>>, again: T, parts: readonly (keyof T & string)[]): Comparison {
  // As it will be when it is written: without fields that are undefined.
  const written = JSON.parse(JSON.stringify(again)) as Record<string, unknown>;
  const told = parts.filter((part) => part in recorded);
  return {
    differences: told.flatMap((part) => differencesIn(part, recorded[part], written[part])),
    notCompared: parts.filter((part) => !(part in recorded) && part in written),
  };
}

function differencesIn(what: string, recorded: unknown, again: unknown): Difference[] {
  if (isObject(recorded) && isObject(again)) {
    return Object.entries(recorded).flatMap(([key, value]) => differencesIn(`${what} ${key}`, value, again[key]));
  }
  if (Array.isArray(recorded) && Array.isArray(again)) return differencesInLists(what, recorded, again);
  return JSON.stringify(recorded) === JSON.stringify(again) ? [] : [{ what, recorded: textOf(recorded), again: textOf(again) }];
}

/** Items that have names are compared with their namesakes; others with those in the same place. */
function differencesInLists(what: string, recorded: readonly unknown[], again: readonly unknown[]): Difference[] {
  const before = named(recorded);
  const now = named(again);
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((name) => {
    const where = `${what} ${name}`;
    if (!before.has(name)) return [{ what: where, recorded: "(not there)", again: textOf(now.get(name)) }];
    if (!now.has(name)) return [{ what: where, recorded: textOf(before.get(name)), again: "(not there)" }];
    return differencesIn(where, before.get(name), now.get(name));
  });
}

function named(items: readonly unknown[]): Map<string, unknown> {
  const byName = new Map<string, unknown>();
  for (const [index, item] of items.entries()) {
    const name = nameOf(item);
    // Namesakes keep their order; what has no name goes by its place.
    byName.set(name === undefined ? String(index + 1) : byName.has(name) ? `${name} #${index + 1}` : name, item);
  }
  return byName;
}

function nameOf(item: unknown): string | undefined {
  if (!isObject(item)) return undefined;
  const words = ["number", "id", "step", "subject", "direction", "moment", "what", "phase"].flatMap((key) => {
    const word = item[key];
    return typeof word === "string" || typeof word === "number" ? [key === "phase" ? `(${word})` : String(word)] : [];
  });
  return words.length === 0 ? undefined : words.join(" ");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return value === undefined ? "(not there)" : JSON.stringify(value);
}
