import { join } from "node:path";
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
import { shellLine } from "../scripts/shellLine.ts";

/** A run may take this long, emulated, on a slow host; then it is told to end, and has the rest of the hook's time to write its bundle. */
const runWithinMs = 15 * 60_000;
const endWithinMs = 60_000;

export interface ConductedOptions {
  /** Config tree under test, by its name in fixtures/. */
  readonly config: string;
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
export function conducted({ config, control, fault, story }: ConductedOptions): () => FinishedRun {
  let finished: FinishedRun | undefined;
  beforeAll(async () => {
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    const tree = join(fixturesFolder, config);
    const result = await conduct({
      topology: await topologyOf(tree),
      config: tree,
      fault,
      story,
      accelerator: "auto",
      command: suiteCommand(),
      capture: process.env[suitesCapture] === "off" ? "off" : "on",
      cold: process.env[coldSuites] !== undefined,
      runsFolder,
      progress,
      signal: AbortSignal.timeout(runWithinMs),
      ...(control !== undefined && { control }),
    });
    if (result.interrupted !== undefined) throw result.interrupted;
    finished = result;
  }, runWithinMs + endWithinMs);
  return () => {
    if (finished === undefined) throw new Error("the run has not been conducted");
    return finished;
  };
}
