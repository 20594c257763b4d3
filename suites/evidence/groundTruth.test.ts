import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeCapture } from "../../lab/capture/decode.ts";
import type { Evidence } from "../../lab/evidence/evidence.ts";
import type { Packet } from "../../lab/evidence/packet.ts";
import { linkBlock, type LinkBlock } from "../../lab/faults/linkBlock.ts";
import { holdBridgePort } from "../../lab/host/bridgePort.ts";
import { figuresOf, type FlowFigures } from "../../lab/judge/figures.ts";
import { outageFigures, type OutageFigures } from "../../lab/judge/outage.ts";
import { readBundle } from "../../lab/report/readBundle.ts";
import type { LabRun } from "../../lab/run/labRun.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { machineSpec, nicOf, tapName } from "../../lab/topology/topology.ts";
import { tcp, udp } from "../../lab/traffic/flowSpec.ts";
import { conducted } from "../conducted.ts";

/** A probe's interval, which emulated machines keep, and the pause of the flow that is only to survive. */
const probeMs = 50;
const otherMs = 100;
/** Both orders to the bridge together may take this long: the true length is known to half of it. */
const ordersMs = 8;
/** How often a block is made until its true length is known. */
const mostTries = 5;
/** What a measured outage may be off beside one probe's interval. */
const allowedMs = 20;
/** 0 is the control: nothing is blocked. */
const lengthsMs = [1_000, 400, 2_500, 0] as const;
/**
 * A block whose true length is known well enough to measure by: where the host was busy between the two orders, it is made again. What the lab measured of
 * it is not looked at, so that no wrong measurement is passed over; a host that never gets there fails by the test of the true length.
 */
async function blockedToKnownLength(lab: LabRun, lengthMs: number): Promise<Truth> {
  for (let tries = 1; ; tries += 1) {
    const truth = await blocked(lab, lengthMs);
    if (isKnown(truth) || tries === mostTries) return truth;
  }
}

function isKnown({ block, lengthMs }: Truth): boolean {
  return block === undefined || (block.mostMs - block.leastMs <= ordersMs && Math.abs(trueLength(block) - lengthMs) <= allowedMs / 2);
}

/** Traffic before and after each block. TCP's back-off is at most as long as the outage that it comes from, so flows move again by then. */
const quietMs = 3_500;

interface Truth {
  readonly lengthMs: number;
  readonly atMs: number;
  readonly untilMs: number;
  readonly block: LinkBlock | undefined;
}

/*
 *   client ──╳── br1 ── fw-1 ── br0 ── omarine      ╳: the bridge's port, shut for a known time; the client keeps its carrier
 */
describe("an outage of a known length is measured right", () => {
  const truths: Truth[] = [];
  const run = conducted({
    config: "omarine-snat",
    fault: { id: "link-block", target: "client" },
    story: async (lab) => {
      await lab.ownedBy("fw-1");
      await lab.open([udp("omarine:7", { intervalMs: probeMs }), tcp("omarine:7", { mode: "both", intervalMs: otherMs })]);
      for (const lengthMs of lengthsMs) truths.push(await blockedToKnownLength(lab, lengthMs));
    },
  });

  const evidence = async (): Promise<Evidence> => readBundle(run().bundle);

  test.each(lengthsMs.filter((lengthMs) => lengthMs > 0))("blocked for %i ms: the true length is that, and the lab knows it to 4 ms", (lengthMs) => {
    const { block } = truthOf(truths, lengthMs);
    expect(block?.mostMs ?? Number.NaN).toBeLessThanOrEqual((block?.leastMs ?? Number.NaN) + ordersMs);
    expect(Math.abs(trueLength(block) - lengthMs)).toBeLessThanOrEqual(allowedMs / 2);
  });

  test.each(lengthsMs.filter((lengthMs) => lengthMs > 0))("blocked for %i ms: the network's own outage, by UDP flows and less their own pause, is right within 20 ms and one probe", async (lengthMs) => {
    const truth = truthOf(truths, lengthMs);
    const told = await evidence();
    const { networkMs, neverResumed } = figuresIn(told, truth);
    expect(neverResumed).toEqual([]);
    expect(networkMs).not.toBeNull();
    expect(Math.abs(outageIn(networkMs ?? Number.NaN) - trueLength(truth.block))).toBeLessThanOrEqual(allowedMs + probeMs);
  });

  test.each(lengthsMs.filter((lengthMs) => lengthMs > 0))("blocked for %i ms: UDP loses what was sent meanwhile, to a record", async (lengthMs) => {
    const truth = truthOf(truths, lengthMs);
    for (const { directions } of udpFlows(await evidence())) {
      const sent = directions.find(({ name }) => name === "forward");
      const lost = (sent?.lost ?? []).filter(({ atMs }) => atMs > truth.atMs - quietMs / 2 && atMs < truth.untilMs).map(({ atMs }) => atMs);
      expect(lost.length).toBeGreaterThan(0);
      const spanMs = Math.max(...lost) - Math.min(...lost);
      expect(spanMs).toBeLessThanOrEqual(trueLength(truth.block) + allowedMs);
      expect(Math.min(...lost)).toBeGreaterThan(truth.atMs - allowedMs);
    }
  });

  test.each(lengthsMs.filter((lengthMs) => lengthMs > 0))("blocked for %i ms: TCP stands still for no shorter, and for at most as long again", async (lengthMs) => {
    const truth = truthOf(truths, lengthMs);
    const stalls = figuresIn(await evidence(), truth).flowStalls.filter(({ kind }) => kind === "tcp");
    expect(stalls).toHaveLength(1);
    for (const { lengthMs: stalledMs } of stalls) {
      expect(stalledMs).toBeGreaterThan(trueLength(truth.block) - allowedMs);
      expect(stalledMs).toBeLessThan(2 * trueLength(truth.block) + 500);
    }
  });

  test.each(lengthsMs.filter((lengthMs) => lengthMs > 0))("blocked for %i ms: the gap in the capture is right too, on either bridge", async (lengthMs) => {
    const truth = truthOf(truths, lengthMs);
    const told = await evidence();
    if (typeof told.capture !== "object") throw new Error("the run has no capture");
    const { packets } = await decodeCapture(join(run().bundle, told.capture.file), AbortSignal.timeout(60_000));
    for (const bridge of ["br1", "br0"]) for (const { flow } of udpFlows(told)) {
      const gapMs = longestGap(packets, bridge, bridge === "br1" ? flow.tuple.source.port : flow.natTuple.source.port, truth);
      expect(Math.abs(outageIn(gapMs) - trueLength(truth.block)), `${flow.id} on ${bridge}`).toBeLessThanOrEqual(allowedMs + probeMs);
    }
  });

  test("the control: with nothing blocked, no flow stands still for more than a few intervals, and the figures tell lengths apart", async () => {
    const told = await evidence();
    const { networkMs, flowStalls } = figuresIn(told, truthOf(truths, 0));
    for (const { id, kind, lengthMs } of flowStalls) expect(lengthMs, id).toBeLessThan(3 * (kind === "udp" ? probeMs : otherMs) + 2 * allowedMs);
    const shortest = Math.min(...lengthsMs.filter((lengthMs) => lengthMs > 0));
    expect(networkMs).toBeLessThan(shortest / 2);
  });

  test("no firewall took over for any of it, and no flow was harmed", async () => {
    const told = await evidence();
    expect(told.events.filter(({ kind }) => kind === "vrrp-state")).toEqual([]);
    for (const { errors, directions } of figuresOf(told.flows, told.clocks)) expect([errors, directions.map(({ corrupt, duplicatedAt }) => [corrupt, duplicatedAt.length])]).toEqual([[], [[0, 0], [0, 0]]]);
  });
});

async function blocked(lab: LabRun, lengthMs: number): Promise<Truth> {
  await lab.wait(quietMs);
  const atMs = Date.now();
  const spec = machineSpec(primaryBackup, "client");
  await using port = await holdBridgePort(tapName(spec, nicOf(spec, "eth0")));
  const block = lengthMs > 0 ? await linkBlock(port, lengthMs, lab.signal) : undefined;
  if (block !== undefined) lab.progress.note(`fault: ${block.effect.measured}`);
  await lab.wait(quietMs);
  await lab.measureClocks();
  return { lengthMs, atMs, untilMs: Date.now(), block };
}

function truthOf(truths: readonly Truth[], lengthMs: number): Truth {
  const truth = truths.find((each) => each.lengthMs === lengthMs);
  if (truth === undefined) throw new Error(`nothing was blocked for ${lengthMs} ms`);
  return truth;
}

/** The best guess at how long a link was shut: right within half of what the two orders took. */
function trueLength(block: LinkBlock | undefined): number {
  return block === undefined ? 0 : (block.leastMs + block.mostMs) / 2;
}

/**
 * The outage that a silence tells. A flow is silent between two records by its own will: from its last record until the link was shut, and from when it
 * was open again until its next one, each for half a pause on average and for a whole one at most. An answer that was cut off, or waits for its question,
 * is no different. So the silence is longer by one pause, give or take one. The check `outage-in-bound` takes it off, too.
 */
function outageIn(silenceMs: number): number {
  return silenceMs - probeMs;
}

function udpFlows(evidence: Evidence): FlowFigures[] {
  return figuresOf(evidence.flows, evidence.clocks).filter(({ flow }) => flow.kind === "udp");
}

/** What the judge's own figures say of the time around a block, as of a transition. */
function figuresIn(evidence: Evidence, { atMs, untilMs, block }: Truth): OutageFigures {
  const fault = block ?? { id: "none", target: "client", atMs, effect: { bit: false, measured: "", evidence: "" } };
  const look = { moment: "ground-truth", atMs: untilMs, firewalls: {}, neighbours: {}, forwarding: {} };
  const transition = { phase: "failover", from: "fw-1", to: "fw-1", fault, before: look, after: look, probes: [], outageBoundMs: 10_000 } as const;
  return outageFigures({ transition: { ...transition, probes: [] }, flows: figuresOf(evidence.flows, evidence.clocks), startMs: atMs, untilMs });
}

/** The longest time between two requests of a flow on a bridge, among those that end within a block's time. */
function longestGap(packets: readonly Packet[], bridge: string, sourcePort: number, { atMs, untilMs }: Truth): number {
  const times = packets.flatMap(({ point, body, atMs: at }) => (point === bridge && body.kind === "udp" && body.sourcePort === sourcePort && at > atMs - 1_000 && at < untilMs ? [at] : []));
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)));
}
