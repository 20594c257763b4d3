import { median } from "simple-statistics";
import type { Evidence } from "../lab/evidence/evidence.ts";
import type { Packet } from "../lab/evidence/packet.ts";
import { healthyCapture, healthyPackets } from "../lab/judge/healthyPackets.ts";
import { healthyRun } from "../lab/judge/healthyRun.ts";
import { judge } from "../lab/judge/judge.ts";
import { start } from "../lab/report/healthyResult.ts";
import { renderRunReport } from "../lab/report/html/runReport.ts";
import type { Figure } from "./benchFigures.ts";

/** What judging one made-up run and writing its report cost, in milliseconds of the processor's. */
export interface JudgingCost {
  readonly flows: number;
  readonly packets: number;
  readonly costMs: number;
}

const sizes = [50, 200, 1_000] as const;
const repeats = 3;
/** Pause between two records of a flow: that of a run with very many flows. */
const intervalMs = 500;

const mostFewMs = 5_000;
const mostManyMs = 30_000;
/** A flow of the largest run may cost so much more than one of the middle one: rubbish collection grows a little with what is alive. */
const mostGrowth = 1.5;

/**
 * Judges made-up runs of growing size with all their packets, at the taps and on the bridges, and writes their reports, and tells what each costs: the
 * median of three. The capture's decoding is not in it. @throws Error when one of them does not pass: then it is not judging a healthy run that was measured.
 */
export async function measureJudging(): Promise<JudgingCost[]> {
  await costOf(...madeUp(sizes[0]));
  const costs: JudgingCost[] = [];
  for (const flows of sizes) {
    const [evidence, packets] = madeUp(flows);
    const each: number[] = [];
    while (each.length < repeats) each.push(await costOf(evidence, packets));
    costs.push({ flows, packets: packets.length, costMs: median(each) });
  }
  return costs;
}

function madeUp(flows: number): [Evidence, Packet[]] {
  const run = healthyRun(flows, intervalMs);
  const packets = healthyPackets(run).flatMap((packet) => [packet, { ...packet, point: packet.point.endsWith("eth1") ? "br1" : "br0" }]);
  const evidence: Evidence = { ...run, capture: healthyCapture(packets) };
  return [evidence, packets];
}

async function costOf(evidence: Evidence, packets: readonly Packet[]): Promise<number> {
  const before = process.cpuUsage();
  const judgement = judge(evidence, { packets });
  const { verdict, reason } = judgement;
  await renderRunReport({ run: { schema: 1, ...start, ...judgement, durations: {} }, evidence, files: [], read: () => Promise.resolve(undefined) });
  const { user, system } = process.cpuUsage(before);
  if (verdict !== "pass") throw new Error(`the made-up run should pass, and is judged ${verdict}: ${reason}`);
  return (user + system) / 1_000;
}

/** Costs against what is allowed, smallest run first. @throws RangeError when there are fewer than two. */
export function judgeJudging(costs: readonly JudgingCost[]): Figure[] {
  const [least, middle, most] = [costs[0], costs.at(-2), costs.at(-1)];
  if (least === undefined || middle === undefined || most === undefined) throw new RangeError("too few runs were judged to tell how the cost grows");
  const growth = most.costMs / most.flows / (middle.costMs / middle.flows);
  return [
    ...costs.map((cost): Figure => {
      const allowed = cost === least ? mostFewMs : cost === most ? mostManyMs : undefined;
      return {
        what: `judging and reporting ${cost.flows} flows and ${cost.packets} packets`,
        measured: seconds(cost.costMs),
        ...(allowed !== undefined && { allowed: `at most ${seconds(allowed)}` }),
        holds: allowed === undefined || cost.costMs <= allowed,
      };
    }),
    {
      what: `cost of a flow among ${most.flows} ÷ among ${middle.flows}`,
      measured: growth.toFixed(2),
      allowed: `at most ${mostGrowth.toFixed(2)}`,
      holds: growth <= mostGrowth,
    },
  ];
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
