import type { Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import type { CheckResult } from "../evidence/run.ts";
import { capturePoints, type Topology } from "../topology/topology.ts";
import { firstOf } from "./scene.ts";

/**
 * Whether the capture holds every packet of every point for as long as something was judged: what was not captured would count as never sent.
 * Undefined, for nothing may rest on packets then, when none was wanted, in evidence that knows none, and when the run ended before its
 * packets were decoded.
 */
export function captureWhole({ capture, transitions, interrupted }: Evidence, topology: Topology, packets: readonly Packet[] | undefined): CheckResult | undefined {
  if (capture === undefined || capture === "off" || (interrupted !== undefined && packets === undefined)) return undefined;
  const { points, startedAtMs, stoppedAtMs, problem, file } = capture;
  const wanted = capturePoints(topology);
  const captured = new Set(points.map((point) => point.interface));
  const missing = wanted.filter((name) => !captured.has(name));
  const losing = points.filter(({ dropped }) => dropped > 0);
  const dropped = losing.reduce((sum, point) => sum + point.dropped, 0);
  const struckMs = Math.min(...transitions.map(({ fault }) => fault.atMs));
  const lookedMs = Math.max(...transitions.map(({ after }) => after.atMs));
  const early = struckMs - startedAtMs;
  const late = stoppedAtMs - lookedMs;
  const faults = [
    ...(problem === undefined ? [] : [problem]),
    ...(missing.length === 0 ? [] : [`not captured: ${firstOf(missing)}`]),
    ...(losing.length === 0 ? [] : [`${dropped} packets are lost, of ${firstOf(losing.map((point) => point.interface))}`]),
    ...(transitions.length === 0 || early > 0 ? [] : [`it began ${Math.round(-early)} ms after the first fault`]),
    ...(transitions.length === 0 || late >= 0 ? [] : [`it ended ${Math.round(-late)} ms before the last look`]),
    ...(packets === undefined ? ["its packets were not decoded"] : packets.length === 0 && transitions.length > 0 ? ["no packet could be decoded from it"] : []),
  ];
  const kept = points.reduce((sum, point) => sum + point.packets, 0);
  const span = transitions.length === 0 ? "nothing was struck" : `from ${Math.round(early)} ms before the first fault to ${Math.round(late)} ms after the last look`;
  return {
    id: "capture-whole",
    phase: "run",
    verdict: faults.length === 0 ? "pass" : "invalid",
    measured: `${kept} packets at ${captured.size} points, ${dropped} dropped; ${span}`,
    allowed: `all ${wanted.length} points, 0 dropped, from before the first fault to after the last look`,
    explanation: faults.length === 0 ? "every packet of every bridge and every firewall's tap is in the capture" : `cannot be judged: the capture is not whole: ${firstOf(faults, "; ")}`,
    evidence: [file],
  };
}
