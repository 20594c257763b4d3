import type { FaultRecord } from "../evidence/evidence.ts";
import { returnId } from "../judge/scene.ts";
import type { LoadOrder } from "../load/order.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import { addressesHome, hasSubstitute } from "./addressesHome.ts";
import { outageBoundMs } from "./failover.ts";
import { cutPower, resumeWithinMs, sandwichFailover, steadyMs, type SandwichStrike } from "./sandwichFailover.ts";
import type { SandwichRun } from "./sandwichRun.ts";

export interface FirewallCutOptions {
  /** The firewall that loses its power, and the one that is to carry on. */
  readonly victim: string;
  readonly survivor: string;
  readonly specs: readonly FlowSpec[];
  readonly order: LoadOrder;
  /** What breaks the victim, once all is steady; the cut of its power unless another is given. */
  readonly strike?: SandwichStrike;
  /** Whether the victim gets its power back; unless it is said, it does where somebody took its duty over and fewer than half of the flows died. */
  readonly failback?: boolean;
  /**
   * Milliseconds between when the addresses are home and the first flow: for notify scripts that are slower than keepalived. What they do of the pair's own start must not be taken for what they do
   * of the fault. 0 unless it is said.
   */
  readonly settleMs?: number;
}

/** Without failover nobody comes back: seen by then, in milliseconds. */
const lostWithinMs = outageBoundMs + 2_000;

/**
 * A firewall of a sandwich loses its power under load and under flows with ledgers; the other takes its addresses; then it is back and takes its share again.
 * What comes of it is evidence, and for the judge.
 */
export async function firewallCutStory(run: SandwichRun, { victim, survivor, specs, order, strike = cutPower, failback = true, settleMs = 0 }: FirewallCutOptions): Promise<void> {
  // In a sandwich without failover nobody takes the victim's duty over, and there is none to give back.
  const takenOver = await hasSubstitute(run.lab, victim, run.signal);
  if (takenOver) await addressesHome(run.lab, run);
  await run.wait(settleMs);
  await run.open(specs);
  const meanwhile = async (): Promise<void> => {
    const returns = await sandwichFailover(run, {
      ...{ victim, survivor, strike, within: takenOver && failback ? resumeWithinMs : lostWithinMs },
      meanwhile: async (notResumed) => {
        if (!takenOver || !failback || notResumed.length >= run.flows.flows.length / 2) return false;
        await run.lab.halfBoot(victim);
        return true;
      },
    });
    if (returns === true) await giveBack(run, victim, survivor);
  };
  await run.act({ name: "cut", order, meanwhile });
}

/** The victim has its power again, gets the states, and takes its addresses back. */
async function giveBack(run: SandwichRun, victim: string, survivor: string): Promise<void> {
  await run.lab.goOn(victim);
  await run.followEvents();
  const before = await run.observe("failback-before");
  const back = await addressesHome(run.lab, run);
  const fault: FaultRecord = {
    id: returnId,
    target: victim,
    atMs: back.lastUnreachedAtMs ?? before.atMs,
    effect: { bit: back.reached, measured: back.seen, evidence: "observations/failback-after" },
  };
  run.progress.note(`failback: ${fault.effect.measured}`);
  await run.flows.resumed({ afterMs: Date.now(), within: resumeWithinMs, signal: run.signal });
  await run.wait(steadyMs);
  run.transitions.push({ phase: "failback", from: survivor, to: victim, fault, before, after: await run.observe("failback-after"), probes: [], outageBoundMs });
}
