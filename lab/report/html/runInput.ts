import type { Evidence, Transition } from "../../evidence/evidence.ts";
import type { Run } from "../../evidence/run.ts";
import type { Trials } from "../../evidence/trials.ts";
import { figuresOf, type FlowFigures } from "../../judge/figures.ts";
import { endOf, startOf, type Scene } from "../../judge/scene.ts";
import { pairs } from "../../judge/topologies.ts";
import type { PairTopology } from "../../topology/topology.ts";

/** What a run's report is made of. */
export interface RunReportInput {
  readonly run: Run;
  readonly evidence: Evidence;
  /** Paths of the bundle's files, relative to it. */
  readonly files: readonly string[];
  /** The text of one of them; undefined when it is not there or no text. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** The trials that this run is one of. */
  readonly trials?: Trials | undefined;
}

/** The input with what several parts of the report ask of it. */
export interface RunStory extends Omit<RunReportInput, "files"> {
  readonly files: ReadonlySet<string>;
  /** The lab's map; undefined when this fwlab does not know it. */
  readonly topology: PairTopology | undefined;
  readonly figures: readonly FlowFigures[];
  readonly transitions: readonly TransitionStory[];
}

/** One transition, and which time is its own. */
export interface TransitionStory {
  readonly transition: Transition;
  readonly startMs: number;
  /** When the next one begins; without one, never. */
  readonly untilMs: number;
  /** As the judge sees it; undefined without a topology. */
  readonly scene: Scene | undefined;
}

/** Prepares an input once for all parts of the report. */
export function storyOf({ files, ...input }: RunReportInput): RunStory {
  const { evidence } = input;
  const topology = pairs.get(evidence.topology);
  const figures = figuresOf(evidence.flows, evidence.clocks);
  const sorted = evidence.transitions.toSorted((a, b) => a.fault.atMs - b.fault.atMs);
  const transitions = sorted.map((transition): TransitionStory => {
    const [startMs, untilMs] = [startOf(transition), endOf(evidence, transition)];
    const scene = topology && { evidence, topology, transition, flows: figures, packets: undefined, startMs, untilMs };
    return { transition, startMs, untilMs, scene };
  });
  return { ...input, files: new Set(files), topology, figures, transitions };
}

/** The moment that a transition's times are told from: the timeline's, where there is one, else the fault's. */
export function zeroOf({ run }: Pick<RunStory, "run">, { phase, fault }: Transition): number {
  return run.timelines.find((timeline) => timeline.phase === phase)?.faultAtMs ?? fault.atMs;
}
