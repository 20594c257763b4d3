import { describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { FlowLedger } from "../evidence/ledger.ts";
import type { FirewallViews, Look } from "../evidence/observation.ts";
import { tcpFlag, type IcmpBody, type Packet } from "../evidence/packet.ts";
import { dropsSchema, type Drops } from "../evidence/timeline.ts";
import { datagram, entering, healthyCapture, healthyPackets, leaving, passing, passingMs, segment } from "./healthyPackets.ts";
import { healthyRun, story } from "./healthyRun.ts";
import { judge } from "./judge.ts";
import { holdLimitMs } from "./matching.ts";

const resumedMs = story.failoverMs + story.failoverOutageMs;
const healthy = healthyPackets(healthyRun());
const capture = healthyCapture(healthy);

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the healthy run lacks what the test changes");
  return value;
}

interface Lab {
  readonly evidence: Evidence;
  readonly packets: Packet[];
  readonly tcp: FlowLedger;
  readonly both: FlowLedger;
  readonly udp: FlowLedger;
}

/** A healthy run with packets, to be broken. */
function lab(): Lab {
  const evidence: Evidence = { ...healthyRun(), capture };
  const flow = (kind: string, mode: string) => must(evidence.flows.find((each) => each.kind === kind && each.mode === mode));
  return { evidence, packets: [...healthy], tcp: flow("tcp", "client"), both: flow("tcp", "both"), udp: flow("udp", "request") };
}

function judged({ evidence, packets }: Lab) {
  const { drops, checks } = judge(evidence, { packets: packets.toSorted((a, b) => a.atMs - b.atMs) });
  const failover: Drops = dropsSchema.parse(drops[0]);
  return { failover, failback: dropsSchema.parse(drops[1]), check: must(checks.find(({ id, phase }) => id === "no-drops-on-survivor" && phase === "failover")), checks };
}

/** Takes away what came out of a firewall, of those packets that went in from one time to another. */
function swallow({ packets }: Lab, { flow, direction, firewall = "fw-2", fromMs, untilMs }: { flow: FlowLedger; direction: "forward" | "reverse"; firewall?: string; fromMs: number; untilMs: number }): number {
  const port = (direction === "forward" ? flow.natTuple : flow.tuple).source.port;
  const point = `${firewall}.${direction === "forward" ? "eth0" : "eth1"}`;
  const kept = packets.filter(({ point: at, sourceMac, atMs, body }) => {
    if (body.kind !== "tcp" && body.kind !== "udp") return true;
    const own = direction === "forward" ? body.sourcePort === port : body.destinationPort === port;
    return !(at === point && sourceMac.startsWith("52:54:00:f1:03") && own && atMs - passingMs >= fromMs && atMs - passingMs < untilMs);
  });
  const taken = packets.length - kept.length;
  packets.splice(0, packets.length, ...kept);
  return taken;
}

function data<T>(look: Look<T>): T {
  if (!look.ok) throw new Error("a look of the healthy run failed");
  return look.data;
}
const views = ({ evidence }: Lab, moment: "before" | "after"): FirewallViews => must(must(evidence.transitions[0])[moment].firewalls["fw-2"]);

/** Lets the survivor log and count that it dropped `count` packets of a flow. */
function log(of: Lab, { tuple }: FlowLedger, count: number): void {
  for (let index = 0; index < count; index += 1) {
    data(views(of, "after").loggedPackets).push({ uptimeSeconds: 500 + index, prefix: "fw-invalid: ", protocol: "tcp", inNic: "eth1", outNic: "eth0", source: tuple.source.address, destination: tuple.destination.address, sourcePort: tuple.source.port, destinationPort: tuple.destination.port, flags: ["ACK"] });
  }
  must(data(views(of, "after").dropCounters)[0]).packets += count;
}

test("a healthy run: everything that went in came out, NAT and all, on either firewall", () => {
  const { failover, failback, checks } = judged(lab());
  for (const [drops, firewall] of [[failover, "fw-2"], [failback, "fw-1"]] as const) {
    expect(drops).toMatchObject({ firewall, dropped: 0, late: 0, changed: 0, open: 0, flows: [], answered: [], disagreement: null, ruleset: { counted: 4, logged: 4, loggedOfFlows: 0 } });
    expect(drops.entered).toBeGreaterThan(500);
    expect(drops.forwarded).toBe(drops.entered);
  }
  expect(checks.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  const own = checks.filter(({ id }) => id === "no-drops-on-survivor");
  expect(own.map(({ evidence }) => evidence[0])).toEqual([capture.file, capture.file]);
});

test("without a capture nothing is told of the taps, and the check says that they were not asked", () => {
  const { drops, checks } = judge({ ...healthyRun(), capture: "off" });
  expect(drops).toEqual([]);
  expect(checks.find(({ id }) => id === "no-drops-on-survivor")).toMatchObject({ verdict: "pass", measured: expect.stringContaining("taps not asked") as string });
});

describe("a packet that does not come out was dropped", () => {
  test.each([
    ["before", story.failoverMs - 500, story.failoverMs - 400],
    ["outage", resumedMs - 300, resumedMs - 200],
    ["after", resumedMs + 2000, resumedMs + 2300],
  ] as const)("%s", (moment, fromMs, untilMs) => {
    const broken = lab();
    const { tcp, packets } = broken;
    // The backup gets no packets before it has the duty, so here it is given some.
    if (moment !== "after") packets.push(...passing(tcp, "forward", fromMs + 10, segment(900_000), "fw-2"), ...passing(tcp, "forward", fromMs + 20, segment(900_001), "fw-2"));
    const taken = swallow(broken, { flow: tcp, direction: "forward", fromMs, untilMs });
    expect(taken).toBeGreaterThanOrEqual(2);
    const { failover, failback, check } = judged(broken);
    expect(failover).toMatchObject({ dropped: taken, flows: [{ id: tcp.id, direction: "forward", moment, packets: taken }] });
    expect(failover.entered).toBe(failover.forwarded + taken);
    expect(failback.dropped).toBe(0);
    expect(check).toMatchObject({ verdict: "fail", evidence: expect.arrayContaining([capture.file, `ledgers/${tcp.id}.json`]) as string[] });
    expect(check.explanation).toContain("frame.time_epoch");
  });

  test("answers of the server too, which come in to the virtual address", () => {
    const broken = lab();
    const taken = swallow(broken, { flow: broken.udp, direction: "reverse", fromMs: resumedMs + 1000, untilMs: resumedMs + 1400 });
    expect(taken).toBe(4);
    expect(judged(broken).failover.flows).toMatchObject([{ id: broken.udp.id, direction: "reverse", moment: "after", packets: 4 }]);
  });

  test("also when it comes out where it went in", () => {
    const broken = lab();
    const { tcp, packets } = broken;
    const content = segment(900_000);
    const back = entering(tcp, "forward", "fw-2", resumedMs + 500, content);
    packets.push(back, { ...back, atMs: back.atMs + 1, sourceMac: back.destinationMac, destinationMac: back.sourceMac });
    expect(judged(broken).failover.dropped).toBe(1);
  });

  test("also when another flow's packet of the same numbers comes out", () => {
    const broken = lab();
    broken.packets.push(entering(broken.tcp, "forward", "fw-2", resumedMs + 500, segment(900_000)), leaving(broken.both, "forward", "fw-2", resumedMs + 501, segment(900_000)));
    expect(judged(broken).failover.flows).toMatchObject([{ id: broken.tcp.id, packets: 1 }]);
  });

  test("a retransmission does not stand for the first", () => {
    const broken = lab();
    const { tcp, packets } = broken;
    packets.push(entering(tcp, "forward", "fw-2", resumedMs + 500, segment(900_000, { ipId: 1 })), ...passing(tcp, "forward", resumedMs + 700, segment(900_000, { ipId: 2 })));
    expect(judged(broken).failover).toMatchObject({ dropped: 1, flows: [{ firstAtMs: resumedMs + 500 }] });
  });
});

describe("no drop of the survivor's", () => {
  test("merged segments, if all bytes came out; if not, the control", () => {
    for (const [bytes, dropped] of [[96, 0], [95, 1]] as const) {
      const merged = lab();
      const { tcp, packets } = merged;
      const at = resumedMs + 500;
      packets.push(entering(tcp, "forward", "fw-2", at, segment(900_000)), entering(tcp, "forward", "fw-2", at + 0.1, segment(900_001)), leaving(tcp, "forward", "fw-2", at + 1, segment(900_000, { bytes })));
      expect(judged(merged).failover.dropped).toBe(dropped);
    }
  });

  test("frames that were flooded to it, for another's MAC; for its own, the control", () => {
    const flooded = lab();
    const { tcp, packets } = flooded;
    const frame = entering(tcp, "forward", "fw-2", resumedMs + 500, segment(900_000));
    packets.push({ ...frame, destinationMac: "52:54:00:f1:02:01" }, { ...frame, destinationMac: "ff:ff:ff:ff:ff:ff" });
    expect(judged(flooded).failover.dropped).toBe(0);
    packets.push(frame);
    expect(judged(flooded).failover.dropped).toBe(1);
  });

  test("what the other firewall lets fall", () => {
    const other = lab();
    other.packets.push(entering(other.tcp, "forward", "fw-1", story.failoverMs + 20, segment(900_000)));
    expect(judged(other).failover.dropped).toBe(0);
  });

  test("what went in when the capture was about to end; a little before, the control", () => {
    for (const [beforeEndMs, open] of [[holdLimitMs - 1, 1], [holdLimitMs + 1, 0]] as const) {
      const ending = lab();
      ending.evidence.transitions.splice(1);
      const endMs = must(ending.evidence.transitions[0]).after.atMs;
      ending.evidence.capture = { ...capture, stoppedAtMs: endMs };
      const packets = ending.packets.filter(({ atMs }) => atMs < endMs);
      packets.push(entering(ending.tcp, "forward", "fw-2", endMs - beforeEndMs, segment(900_000)));
      const { drops } = judge(ending.evidence, { packets: packets.toSorted((a, b) => a.atMs - b.atMs) });
      expect(drops[0]).toMatchObject({ open, dropped: 1 - open });
    }
  });
});

test("what comes out seconds later was queued: held, and counted as dropped; in time, the control", () => {
  for (const [heldMs, late] of [[holdLimitMs + 1, 1], [holdLimitMs - 1, 0]] as const) {
    const frozen = lab();
    const { udp, packets } = frozen;
    packets.push(entering(udp, "forward", "fw-2", resumedMs + 500, datagram("forward", 900_000)), leaving(udp, "forward", "fw-2", resumedMs + 500 + heldMs, datagram("forward", 900_000)));
    const { failover, check } = judged(frozen);
    expect(failover).toMatchObject({ late, dropped: late, disagreement: null });
    expect(check.verdict).toBe(late === 1 ? "fail" : "pass");
  }
});

test("what comes out with another translation is forwarded, and fails all the same", () => {
  const changed = lab();
  const { udp, packets } = changed;
  const content = datagram("forward", 900_000);
  packets.push(entering(udp, "forward", "fw-2", resumedMs + 500, content), leaving({ ...udp, natTuple: { ...udp.natTuple, source: { ...udp.natTuple.source, port: 61_234 } } }, "forward", "fw-2", resumedMs + 501, content));
  const { failover, check } = judged(changed);
  expect(failover).toMatchObject({ dropped: 0, changed: 1 });
  expect(check.verdict).toBe("fail");
});

describe("answers of the firewall's own into a flow", () => {
  const at = resumedMs + 500;
  const reset = (seq: number) => ({ ...segment(0, { ipId: 0, bytes: 0, flags: tcpFlag.rst }), seq });

  test("a reset to a packet that it refused", () => {
    const rejecting = lab();
    const { both, packets } = rejecting;
    packets.push(entering(both, "forward", "fw-2", at, segment(900_000, { ack: 4711 })), leaving(both, "reverse", "fw-2", at + 1, reset(4711)));
    const { failover, check } = judged(rejecting);
    expect(failover).toMatchObject({ dropped: 1, answered: [{ id: both.id, direction: "reverse", what: "TCP reset", packets: 1, firstAtMs: at + 1 }] });
    expect(check).toMatchObject({ verdict: "fail", explanation: expect.stringContaining("itself answered into flows") as string });
  });

  test("not one that the server sent through it: the control", () => {
    const passed = lab();
    passed.packets.push(...passing(passed.both, "reverse", at, reset(4711)));
    const { failover, check } = judged(passed);
    expect(failover).toMatchObject({ dropped: 0, answered: [] });
    expect(check.verdict).toBe("pass");
  });

  const error = (flow: FlowLedger, { type, side }: { type: number; side: "client" | "server" }): IcmpBody => {
    const { source, destination } = side === "client" ? flow.tuple : flow.natTuple;
    return {
      kind: "icmp", ipId: 9, type, code: 13, sourceAddress: "192.168.0.2", destinationAddress: source.address,
      about: { protocol: flow.kind === "udp" ? 17 : 6, sourceAddress: source.address, destinationAddress: destination.address, sourcePort: source.port, destinationPort: destination.port },
    };
  };
  const carried = (flow: FlowLedger, enters: boolean, atMs: number, body: IcmpBody): Packet =>
    ({ ...(enters ? entering : leaving)(flow, "reverse", "fw-2", atMs, datagram("reverse", 0)), body });

  test("an ICMP error about a packet that it refused; a redirect about one that it forwarded is none", () => {
    const rejecting = lab();
    const { udp, packets } = rejecting;
    packets.push(entering(udp, "forward", "fw-2", at, datagram("forward", 900_000)), carried(udp, false, at + 1, error(udp, { type: 3, side: "client" })));
    packets.push(...passing(udp, "forward", at + 5, datagram("forward", 900_001)), carried(udp, false, at + 6, error(udp, { type: 5, side: "client" })));
    expect(judged(rejecting).failover).toMatchObject({ dropped: 1, answered: [{ id: udp.id, direction: "reverse", what: "ICMP error, type 3 code 13", packets: 1 }] });
  });

  test("not one that the server sent through it: the control", () => {
    const passed = lab();
    const { udp, packets } = passed;
    packets.push(carried(udp, true, at, error(udp, { type: 3, side: "server" })), carried(udp, false, at + 1, error(udp, { type: 3, side: "client" })));
    expect(judged(passed).failover.answered).toEqual([]);
  });
});

describe("the ruleset as the second witness", () => {
  const drop = (of: Lab, count: number) => {
    for (let index = 0; index < count; index += 1) of.packets.push(entering(of.tcp, "forward", "fw-2", resumedMs + 500 + index, segment(900_000 + index)));
  };

  test("agrees: as many logged as did not come out", () => {
    const broken = lab();
    drop(broken, 5);
    log(broken, broken.tcp, 5);
    expect(judged(broken)).toMatchObject({ failover: { dropped: 5, ruleset: { loggedOfFlows: 5 }, disagreement: null }, check: { verdict: "fail" } });
  });

  test("blames what came out: a contradiction, and the check fails by its word", () => {
    const broken = lab();
    log(broken, broken.tcp, 5);
    const { failover, check } = judged(broken);
    expect(failover).toMatchObject({ dropped: 0, disagreement: expect.stringMatching(/\b5 packets of flows.* 0 did not come out/u) as string });
    expect(check).toMatchObject({ verdict: "fail", measured: expect.stringContaining("contradict") as string, explanation: expect.stringContaining("contradict") as string });
  });

  test("does not know of what did not come out: a contradiction, and the check fails by the taps", () => {
    const broken = lab();
    drop(broken, 7);
    expect(judged(broken)).toMatchObject({ failover: { dropped: 7, disagreement: expect.stringMatching(/\b7 packets.* log names 0/u) as string }, check: { verdict: "fail" } });
  });

  test("counts and does not log: only too few contradict", () => {
    for (const [counted, contradicts] of [[6, true], [7, false], [30, false]] as const) {
      const broken = lab();
      drop(broken, 7);
      data(views(broken, "after").loggedPackets).splice(0);
      must(data(views(broken, "after").dropCounters)[0]).packets = counted;
      expect(judged(broken).failover.disagreement !== null, `${counted} counted`).toBe(contradicts);
    }
  });

  test("may tell of packets that were dropped while it was read: no contradiction; of more than those, one", () => {
    for (const [logged, contradicts] of [[5, false], [6, true]] as const) {
      const broken = lab();
      broken.evidence.transitions.splice(1);
      drop(broken, 3);
      const readMs = must(broken.evidence.transitions[0]).after.atMs;
      broken.packets.push(...[100, 200].map((afterMs) => entering(broken.tcp, "forward", "fw-2", readMs + afterMs, segment(910_000 + afterMs))));
      log(broken, broken.tcp, logged);
      const { drops, checks } = judge(broken.evidence, { packets: broken.packets.toSorted((a, b) => a.atMs - b.atMs) });
      expect(drops[0]?.dropped).toBe(3);
      expect(drops[0]?.disagreement !== null, `${logged} logged`).toBe(contradicts);
      expect(checks.find(({ id }) => id === "no-drops-on-survivor")?.measured).toContain("and 2 more after the last look");
    }
  });

  /** No counter and no rule that logs. */
  const mute = (of: Lab) => {
    for (const moment of ["before", "after"] as const) {
      data(views(of, moment).dropCounters).splice(0);
      data(views(of, moment).loggedPackets).splice(0);
    }
  };

  test("neither counts nor logs: no fault where the taps were asked, and no contradiction", () => {
    const silent = lab();
    mute(silent);
    const { failover, check, checks } = judged(silent);
    expect(failover).toMatchObject({ dropped: 0, ruleset: null, disagreement: null });
    expect(check).toMatchObject({ verdict: "pass", measured: expect.stringContaining("neither counts nor logs") as string });
    expect(checks.every(({ verdict }) => verdict === "pass")).toBe(true);
    expect(judge({ ...silent.evidence, capture: "off" }).verdict).toBe("fail");
  });

  test("drops by a chain's policy, which counts nothing, and logs only some: no fault where the taps were asked; without them it cannot be told", () => {
    const byPolicy = lab();
    for (const moment of ["before", "after"] as const) data(views(byPolicy, moment).dropCounters).splice(0, 1, { rule: "policy of ip filter FORWARD", packets: 0, bytes: 0, uncounted: true });
    expect(judged(byPolicy).check).toMatchObject({ verdict: "pass", measured: expect.stringContaining("not all drops are counted") as string });
    const { checks } = judge({ ...byPolicy.evidence, capture: "off" });
    expect(checks.find(({ id }) => id === "no-drops-on-survivor")).toMatchObject({ verdict: "fail", explanation: expect.stringContaining("policy of ip filter FORWARD") as string });
    drop(byPolicy, 7);
    expect(judged(byPolicy).check).toMatchObject({ verdict: "fail" });
  });

  test("neither counts nor logs, and packets are dropped: the taps alone say so", () => {
    const silent = lab();
    mute(silent);
    drop(silent, 7);
    expect(judged(silent)).toMatchObject({ failover: { dropped: 7, ruleset: null, disagreement: null }, check: { verdict: "fail" } });
  });

  test("is not made up for by the taps where it cannot explain itself", () => {
    const broken = lab();
    must(data(views(broken, "after").dropCounters)[0]).packets += 1;
    expect(judged(broken).check).toMatchObject({ verdict: "fail", explanation: expect.stringContaining("cannot be said whose") as string });
  });
});

test("a capture that saw nothing at the survivor's taps proves nothing", () => {
  const blind = lab();
  blind.packets.splice(0, blind.packets.length, ...blind.packets.filter(({ point }) => !point.startsWith("fw-2.")));
  expect(judged(blind).check.verdict).toBe("invalid");
});

// A run with 50 flows has some 104,000 packets at the taps, and is judged within 5 s; a step for each pair of packets would take hours.
test("packets are judged at more than 30,000 a second", () => {
  const evidence: Evidence = { ...healthyRun(500, 1000), capture };
  const packets = healthyPackets(evidence);
  // The processor's time, of all threads: other tests at the same time do not count.
  const before = process.cpuUsage();
  expect(judge(evidence, { packets }).drops).toMatchObject([{ dropped: 0 }, { dropped: 0 }]);
  const { user, system } = process.cpuUsage(before);
  expect(packets.length / ((user + system) / 1e6)).toBeGreaterThan(30_000);
});
