import { basename, isAbsolute, relative, sep } from "node:path";
import { historyVersion, type HistoryEntry } from "../evidence/history.ts";
import { metricIds, type Figures, type Metric } from "../evidence/metric.ts";
import type { FlowKind } from "../evidence/ledger.ts";
import type { Run } from "../evidence/run.ts";
import type { Trial, Trials } from "../evidence/trials.ts";
import { comparedFigures } from "../judge/comparedFigures.ts";
import { trialOf } from "../judge/trialOf.ts";

/** Where a run or trials lie. */
export interface EntryPlace {
  /** Their folder, relative to the folder of the history. */
  readonly folder: string;
  /** When they began, where their id does not tell. */
  readonly begunAt: Date;
  /** Folder of the project: paths of config trees inside it are told from there on. */
  readonly project: string;
}

/** The line that a run has in the history. An invalid one has no samples: it says nothing of the pair. */
export function entryOfRun(run: Run, place: EntryPlace): HistoryEntry {
  const trial = trialOf(run, { number: 1, offsetMs: 0, struckMs: null, bundle: "." });
  const ofKind = (wanted: FlowKind) => run.flows.filter(({ kind }) => kind === wanted).length;
  return { ...groundOf(run, place), kind: "run", flows: { total: run.flows.length, tcp: ofKind("tcp"), udp: ofKind("udp"), ssh: ofKind("ssh") }, ...figuresOver([trial]) };
}

/** The line that trials have in the history: a number of each sample is a valid trial's. */
export function entryOfTrials(trials: Trials, place: EntryPlace): HistoryEntry {
  return { ...groundOf(trials, place), kind: "trials", flows: { total: trials.flows, ...trials.flowKinds }, ...figuresOver(trials.trials) };
}

type Ground = "schema" | "id" | "at" | "verdict" | "reason" | "folder" | "topology" | "config" | "fault" | "host";

function groundOf({ id, verdict, reason, topology, config, fault, host }: Pick<Run, "id" | "verdict" | "reason" | "topology" | "config" | "host"> & { readonly fault: HistoryEntry["fault"] }, place: EntryPlace): Pick<HistoryEntry, Ground> {
  const { accelerator, cores, qemu, guestKernel } = host;
  const named = (path: string) => insideProject(path, place.project);
  return {
    schema: historyVersion,
    id,
    at: (timeOf(id) ?? place.begunAt).toISOString(),
    verdict,
    reason,
    folder: place.folder,
    topology,
    config: { path: named(config.path), overlays: config.overlays.map(named), sha256: config.sha256 },
    fault: { id: fault.id, target: fault.target },
    host: { accelerator, cores, qemu, guestKernel },
  };
}

/** Ids begin with the time: `2026-11-20T21-02-13Z-028c`. */
function timeOf(id: string): Date | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z/u.exec(id);
  if (match === null) return undefined;
  const time = new Date(`${match[1] ?? ""}T${match[2] ?? ""}:${match[3] ?? ""}:${match[4] ?? ""}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** A tree of the project by its path in it, so that another checkout's history tells the same; any other by its name alone. */
function insideProject(path: string, project: string): string {
  if (!isAbsolute(path)) return path;
  const inside = relative(project, path);
  if (inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`)) return inside;
  // A bundle that came from another machine: its checkout was somewhere else, and the reference trees are in all of them.
  const fixture = /(?:^|\/)(fixtures\/[^/].*)$/u.exec(path)?.[1];
  return fixture ?? basename(path);
}

function figuresOver(trials: readonly Trial[]): Pick<HistoryEntry, "counts" | "survived" | "failedChecks" | "samples"> {
  const valid = trials.filter(({ verdict }) => verdict !== "invalid");
  const counted = (verdict: Trial["verdict"]) => trials.filter((trial) => trial.verdict === verdict).length;
  const failed: Record<string, number> = {};
  for (const id of valid.flatMap(({ failedChecks }) => failedChecks)) failed[id] = (failed[id] ?? 0) + 1;
  const figures = valid.map(figuresOfTrial);
  const samples = metricIds.map((metric): [Metric, number[]] => [metric, figures.flatMap((each) => each[metric] ?? [])]);
  return {
    counts: { pass: counted("pass"), fail: counted("fail"), invalid: counted("invalid") },
    survived: { survived: valid.reduce((sum, { survived }) => sum + survived, 0), of: valid.reduce((sum, { flows }) => sum + flows, 0) },
    failedChecks: failed,
    samples: Object.fromEntries(samples.filter(([, values]) => values.length > 0)),
  };
}

/** An earlier fwlab's trial tells its outage alone. */
function figuresOfTrial(trial: Trial): Figures {
  const { figures, outage, struckMs, offsetMs } = trial;
  const told = figures ?? (outage === null ? {} : comparedFigures({ outages: [outage], timelines: [], drops: [] }));
  return { ...told, ...(struckMs !== null && { strikeLateMs: Math.max(0, Math.round(struckMs - offsetMs)) }) };
}
