import type { HistoryEntry, Samples } from "../evidence/history.ts";
import { metricIds, type Metric } from "../evidence/metric.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import type { SubjectSummary } from "./comparison.ts";

/** Runs and trials of one kind of failover, their figures taken together. */
export interface Subject {
  readonly summary: SubjectSummary;
  readonly entries: readonly HistoryEntry[];
  readonly topology: string;
  readonly fault: HistoryEntry["fault"];
  readonly samples: Samples;
  readonly failedChecks: Readonly<Record<string, number>>;
}

/**
 * Takes runs and trials together, each once.
 * @throws Failure (usage) when there is none, they are not of one topology and fault, or no failover of theirs is valid.
 */
export function pooled(name: string, entries: readonly HistoryEntry[]): Subject {
  const once = [...new Map(entries.map((entry) => [entry.id, entry])).values()];
  const [first] = once;
  if (first === undefined) throw unusable(name, "there is no run and no trials in it");
  const stranger = once.find((entry) => entry.topology !== first.topology || sentence(entry) !== sentence(first));
  if (stranger !== undefined) throw unusable(name, `${first.id} is ${sentence(first)}, and ${stranger.id} is ${sentence(stranger)}`);
  const total = (count: (entry: HistoryEntry) => number) => once.reduce((sum, entry) => sum + count(entry), 0);
  const counts = { pass: total(({ counts: { pass } }) => pass), fail: total(({ counts: { fail } }) => fail), invalid: total(({ counts: { invalid } }) => invalid) };
  if (counts.pass + counts.fail === 0) throw unusable(name, "no failover in it is valid, so it says nothing of the pair");
  const checks = [...new Set(once.flatMap(({ failedChecks }) => Object.keys(failedChecks)))];
  return {
    summary: {
      name,
      ids: once.map(({ id }) => id),
      verdicts: once.map(({ verdict }) => verdict),
      counts,
      survived: { survived: total(({ survived }) => survived.survived), of: total(({ survived }) => survived.of) },
    },
    entries: once,
    topology: first.topology,
    fault: first.fault,
    samples: Object.fromEntries(metricIds.map((metric): [Metric, number[]] => [metric, once.flatMap(({ samples }) => samples[metric] ?? [])])),
    failedChecks: Object.fromEntries(checks.map((id) => [id, total(({ failedChecks }) => failedChecks[id] ?? 0)])),
  };
}

/** What was done to what. */
export function sentence({ topology, fault }: Pick<HistoryEntry, "topology" | "fault">): string {
  return `a ${fault.id} of ${fault.target} in ${topology}`;
}

function unusable(name: string, seen: string): Failure {
  return new Failure({ tried: `compare ${name}`, seen, remedy: "Name a run, trials, or a folder with several of one topology and fault; `fwlab history` lists them", exit: exitCode.usage });
}
