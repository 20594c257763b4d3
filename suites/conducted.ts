import { resolve } from "node:path";
import { beforeAll, expect } from "vitest";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { conduct } from "../lab/run/conduct.ts";
import type { FinishedRun, Story } from "../lab/run/judgedRun.ts";
import { portablePath } from "../lab/run/portablePath.ts";
import { fixturesFolder, runsFolder } from "../lab/run/prepare.ts";
import { coldSuites } from "../lab/run/startLab.ts";
import { suitesCapture } from "../lab/run/runCapture.ts";
import type { Control } from "../lab/run/runSetting.ts";
import { topologyOf } from "../lab/run/topologyOf.ts";
import type { PairTopology } from "../lab/topology/topology.ts";
import { shellLine } from "../scripts/shellLine.ts";
import { pausing } from "./pausing.ts";

/** A run may take this long, emulated, on a slow host; then it is told to end, and has the rest of the hook's time to write its bundle. */
const runWithinMs = 15 * 60_000;
const endWithinMs = 60_000;

export interface ConductedOptions {
  /** Config tree under test: by its name in fixtures/, or an absolute path. */
  readonly config: string;
  /** The topology that it is for: the one that its `fwlab.json` names, unless one is given. */
  readonly topology?: PairTopology;
  readonly control?: Control;
  readonly fault: { readonly id: string; readonly target: string };
  readonly story: Story;
}

/** The command line that runs the suite's file that is running now. */
export function suiteCommand(): string {
  const file = expect.getState().testPath;
  if (file === undefined) throw new Error("no test file is running");
  return shellLine(["npm", "test", "--", portablePath(file), ...(process.env[coldSuites] === undefined ? [] : ["--cold"])]);
}

/**
 * Conducts a run before the tests of this describe block, outside of any test's own time, and gives them what came of it. A run that did not
 * come to its end fails the block with what ended it.
 */
export function conducted({ config, topology, control, fault, story }: ConductedOptions): () => FinishedRun {
  let finished: FinishedRun | undefined;
  const pause = pausing();
  beforeAll(async () => {
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    const tree = resolve(fixturesFolder, config);
    const own = topology ?? (await topologyOf(tree));
    const tooLong = new AbortController();
    const timer = setTimeout(() => tooLong.abort(new Error(`the run took longer than ${runWithinMs / 60_000} min`)), runWithinMs);
    const running = conduct({
      topology: own,
      config: tree,
      fault,
      story,
      accelerator: "auto",
      command: suiteCommand(),
      capture: process.env[suitesCapture] === "off" ? "off" : "on",
      cold: process.env[coldSuites] !== undefined,
      runsFolder,
      progress,
      signal: tooLong.signal,
      ...(control !== undefined && { control }),
      ...(pause && { whileUp: pause.whileUp }),
    });
    pause?.conducts(running, own);
    const result = await Promise.race([running, ...(pause === undefined ? [] : [pause.judged])]);
    clearTimeout(timer);
    if (result.interrupted !== undefined) throw result.interrupted;
    finished = result;
  }, runWithinMs + endWithinMs);
  return () => {
    if (finished === undefined) throw new Error("the run has not been conducted");
    return finished;
  };
}
