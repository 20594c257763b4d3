import { powerCut } from "../faults/powerCut.ts";
import { mixedFlows, type FlowCounts } from "../traffic/flowSpec.ts";
import { failback } from "./failback.ts";
import { failover, outageBoundMs, type FailoverOptions } from "./failover.ts";
import type { Story } from "./judgedRun.ts";
import type { LabRun } from "./labRun.ts";
import { quoteCaches } from "./quoteCaches.ts";

/** A run that must lose its flows need not wait for them beyond the bound for long. */
const lostWithinMs = outageBoundMs + 2_000;

/**
 * The active firewall loses its power under live flows, the backup takes over; then the power is back, and the duty with it. Where most flows
 * died there is no failback: the dead cannot show that they survive the way back.
 */
export function powerCutStory(flows: number | FlowCounts): Story {
  return async (run) => {
    const { active, backup } = run.topology;
    const notResumed = await cutUnderFlows(run, flows, { meanwhile: () => run.lab.halfBoot(active) });
    if (notResumed.length >= run.flows.flows.length / 2) {
      run.progress.note(`no failback: ${notResumed.length} of ${run.flows.flows.length} flows did not survive the failover`);
      return;
    }
    await run.timed("failbackMs", () => failback(run, { from: backup, to: active }));
  };
}

/**
 * The active firewall loses its power under live flows, and stays off. With `lost` the flows are those of a control, which must not come back: they
 * are waited for just long enough to see that.
 */
export function failoverStory(flows: number | FlowCounts, { lost = false }: { readonly lost?: boolean } = {}): Story {
  return async (run) => {
    await cutUnderFlows(run, flows, lost ? { resumeWithin: lostWithinMs } : {});
  };
}

/** Opens flows through a steady pair, waits until they are replicated, and cuts the active firewall's power. Gives the flows that did not move again. */
async function cutUnderFlows(run: LabRun, flows: number | FlowCounts, options: Pick<FailoverOptions, "meanwhile" | "resumeWithin">): Promise<readonly string[]> {
  const { active, backup, server } = run.topology;
  await run.timed("steadyMs", () => run.ownedBy(active));
  await run.timed("openMs", () => run.open(mixedFlows(flows, server)));
  await run.timed("replicatedMs", () => run.replicatedTo(backup));
  const strike = () => powerCut(run.machine(active));
  const { transition, notResumed } = await run.timed("failoverMs", () => failover(run, { from: active, to: backup, strike, ...options }));
  await quoteCaches(run, transition);
  return notResumed;
}
