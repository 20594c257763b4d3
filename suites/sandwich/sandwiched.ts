import { join } from "node:path";
import { beforeAll } from "vitest";
import type { Evidence } from "../../lab/evidence/evidence.ts";
import type { Packet } from "../../lab/evidence/packet.ts";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import { readBundle } from "../../lab/report/readBundle.ts";
import { conductSandwich } from "../../lab/run/conductSandwich.ts";
import type { FinishedRun, Story } from "../../lab/run/judgedRun.ts";
import { packetsOf } from "../../lab/run/packetsOf.ts";
import { fixturesFolder, runsFolder } from "../../lab/run/prepare.ts";
import type { SandwichRun } from "../../lab/run/sandwichRun.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import { sandwich, type SandwichTopology } from "../../lab/topology/sandwich.ts";
import { suiteCommand } from "../conducted.ts";
import { pausing } from "../pausing.ts";

const withinMs = 10 * 60_000;
const endWithinMs = 60_000;

export interface Sandwiched extends FinishedRun {
  readonly evidence: Evidence;
  readonly packets: readonly Packet[];
}

export interface SandwichedOptions {
  /** Config trees, by their names in fixtures/, lowest first. */
  readonly trees: readonly [string, ...string[]];
  readonly fault: { readonly id: string; readonly target: string };
  readonly story: Story<SandwichRun>;
  /** The sandwich with one director, unless another is given. */
  readonly topology?: SandwichTopology;
}

/** Conducts a run of the sandwich before the tests of this describe block, outside of any test's own time. One that does not come to its end fails the block. */
export function sandwiched({ trees, fault, story, topology = sandwich }: SandwichedOptions): () => Sandwiched {
  let seen: Sandwiched | undefined;
  const pause = pausing();
  beforeAll(async () => {
    const tooLong = new AbortController();
    const timer = setTimeout(() => tooLong.abort(new Error(`the run took longer than ${withinMs / 60_000} min`)), withinMs);
    const { signal } = tooLong;
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    const [config, ...over] = trees;
    const running = conductSandwich({
      topology,
      config: join(fixturesFolder, config),
      over: over.map((tree) => join(fixturesFolder, tree)),
      fault,
      story,
      accelerator: "auto",
      command: suiteCommand(),
      cold: process.env[coldSuites] !== undefined,
      runsFolder,
      progress,
      signal,
      ...(pause && { whileUp: pause.whileUp }),
    });
    pause?.conducts(running, topology);
    const finished = await Promise.race([running, ...(pause === undefined ? [] : [pause.judged])]);
    if (finished.interrupted !== undefined) throw finished.interrupted;
    const evidence = await readBundle(finished.bundle);
    const packets = await packetsOf(finished.bundle, evidence, signal);
    if (packets === undefined) throw new Error("the run has no capture");
    clearTimeout(timer);
    seen = { ...finished, evidence, packets };
  }, withinMs + endWithinMs);
  return () => {
    if (seen === undefined) throw new Error("the run has not been conducted");
    return seen;
  };
}
