import { afterAll, afterEach } from "vitest";
import type { FinishedRun } from "../lab/run/judgedRun.ts";
import { portablePath } from "../lab/run/portablePath.ts";
import { pauseOnFailure } from "../lab/run/startLab.ts";
import type { Topology } from "../lab/topology/topology.ts";
import { waysIn } from "../scripts/keepUp.ts";

/** As long as somebody may want to look. */
const forDays = 7 * 24 * 60 * 60_000;

/** A lab that stays up until the tests over its run are done, and on if one of them failed. */
export interface Pausing {
  /** Hands over the run that was judged, and settles when the lab may go. */
  readonly whileUp: (finished: FinishedRun) => Promise<void>;
  /** Resolves when the run is judged, with the lab still up. */
  readonly judged: Promise<FinishedRun>;
  /** Told what conducts the run, whose end is waited for after the tests; and the topology, once it is known. */
  conducts(running: Promise<FinishedRun>, topology: Topology): void;
}

/** To be called in a describe block: leaves the lab of its run until its tests are done. Undefined unless `--pause-on-failure` asks for it. */
export function pausing(): Pausing | undefined {
  if (process.env[pauseOnFailure] === undefined) return undefined;
  let handOver: (finished: FinishedRun) => void = () => undefined;
  let release: () => void = () => undefined;
  const judged = new Promise<FinishedRun>((resolve) => (handOver = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  let conducted: { readonly running: Promise<FinishedRun>; readonly topology: Topology } | undefined;
  let last: FinishedRun | undefined;
  const failed: string[] = [];
  afterEach(({ task }) => {
    if (task.result?.state === "fail") failed.push(task.name);
  });
  afterAll(async () => {
    if (conducted === undefined) return;
    const ended = last?.interrupted;
    if (last !== undefined && (failed.length > 0 || ended !== undefined)) {
      const what = ended === undefined ? failed.map((name) => `  ${name}`) : [`  the run did not come to its end: ${ended.message}`];
      process.stderr.write(["", "paused: the lab of what failed is up until Ctrl-C", ...what, `  its bundle: ${portablePath(last.bundle)}`, ...waysIn(conducted.topology, "test"), ""].join("\n"));
      await new Promise(() => setInterval(() => undefined, forDays));
    }
    release();
    await conducted.running.catch(() => undefined);
  }, forDays);
  return {
    whileUp: async (finished) => {
      last = finished;
      handOver(finished);
      await released;
    },
    judged,
    conducts: (running, topology) => (conducted = { running, topology }),
  };
}
