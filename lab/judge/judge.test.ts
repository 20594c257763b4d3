import { describe, expect, test } from "vitest";
import { evidenceSchema, type Evidence, type Probe, type Transition } from "../evidence/evidence.ts";
import type { FlowLedger } from "../evidence/ledger.ts";
import type { FirewallViews, Look } from "../evidence/observation.ts";
import { healthyRun, story } from "./healthyRun.ts";
import { checks, judge, type CheckId } from "./judge.ts";

const ids = Object.keys(checks) as CheckId[];

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the healthy run lacks what the test changes");
  return value;
}
const failover = (evidence: Evidence): Transition => must(evidence.transitions[0]);
const failback = (evidence: Evidence): Transition => must(evidence.transitions[1]);
const flowOf = (evidence: Evidence, start: string): FlowLedger => must(evidence.flows.find(({ id }) => id.startsWith(start)));
const firewall = (transition: Transition, moment: "before" | "after", name: string): FirewallViews => must(transition[moment].firewalls[name]);
function data<T>(look: Look<T> | undefined): T {
  if (!look?.ok) throw new Error("a look of the healthy run failed");
  return look.data;
}
function unanswered(views: FirewallViews, name: keyof FirewallViews): void {
  views[name] = { ok: false, atMs: 0, source: views[name].source, error: "connection lost" };
}
const probe = (transition: Transition, id: Probe["id"], moment: Probe["moment"]): Probe => must(transition.probes.find((each) => each.id === id && each.moment === moment));

/** Checks of a judgement that do not pass, as `id phase verdict`. */
function notPassed(evidence: Evidence): string[] {
  return judge(evidence).checks.filter(({ verdict }) => verdict !== "pass").map(({ id, phase, verdict }) => `${id} ${phase} ${verdict}`);
}

test("a healthy run passes every check in both phases, and is evidence by the schema", () => {
  const evidence = evidenceSchema.parse(healthyRun());
  const judgement = judge(evidence);
  expect(notPassed(evidence)).toEqual([]);
  expect(judgement).toMatchObject({ verdict: "pass", reason: "all 6 flows survived failover and failback, and all 19 checks hold" });
  expect(judgement.checks.map(({ id, phase }) => `${id} ${phase}`)).toEqual(["host-health run", ...ids.map((id) => `${id} failover`), ...ids.map((id) => `${id} failback`)]);
  expect(judgement.flows.every(({ survived }) => survived)).toBe(true);
  for (const check of judgement.checks) expect(check, check.id).toMatchObject({ evidence: expect.arrayContaining([expect.any(String)]) as string[] });
});

test("figures: what was lost in the outage, and the longest stall to the millisecond", () => {
  const { flows, checks: results } = judge(healthyRun());
  const udp = must(flows.find(({ kind }) => kind === "udp"));
  expect(udp.lost).toBe(30 + 4);
  expect(udp.sent - udp.received).toBe(udp.lost);
  expect(udp.stallMs).toBe(3100);
  expect(flows.find(({ mode }) => mode === "idle")?.stallMs).toBeNull();
  const outage = results.find(({ id }) => id === "outage-in-bound");
  expect(outage?.measured).toMatch(/^longest stall 3100 ms \(\w+-00\d\); min \d+ ms, median \d+ ms, p95 \d+ ms, max 3100 ms over 5 flows; network's own outage by 1 UDP flows 3100 ms; longest wait of 1 idle flows once told \d+ ms$/u);
});

type Mutation = [name: string, change: (evidence: Evidence) => unknown, notPassed: string[]];

/** One thing changed at a time; exactly these checks may change with it. */
const mutations: Mutation[] = [
  ["another node is master", (e) => (data(firewall(failover(e), "before", "fw-1").vrrp)[0] = { name: "outside", nic: "eth0", state: "BACKUP", priority: 1 }), ["steady-before failover fail"]],
  ["the returning node was master already", (e) => must(data(firewall(failback(e), "before", "fw-1").vrrp)[0]).state = "MASTER", ["steady-before failback fail"]],
  ["both hold a virtual address before", (e) => void data(firewall(failover(e), "before", "fw-2").addresses).push({ nic: "eth0", address: "192.168.1.100", prefixLength: 24 }), ["steady-before failover fail"]],
  ["no VRRP instance", (e) => data(firewall(failover(e), "before", "fw-2").vrrp).splice(0), ["steady-before failover fail"]],
  ["the backup does not answer for its addresses", (e) => unanswered(firewall(failover(e), "before", "fw-2"), "addresses"), ["steady-before failover fail"]],
  ["a flow stood still before the fault", (e) => removeReceived(flowOf(e, "tcp-001"), "reverse", story.failoverMs - 1500, story.failoverMs), ["steady-before failover fail", "flows-survive failover fail"]],
  ["a flow is not in the external cache", (e) => void data(firewall(failover(e), "before", "fw-2").externalCache).shift(), ["replicated-before failover fail"]],
  ["a flow's replicated state is old", (e) => (must(data(firewall(failback(e), "before", "fw-1").externalCache)[0]).state = "SYN_RECV"), ["replicated-before failback fail"]],
  ["the external cache is not told", (e) => unanswered(firewall(failover(e), "before", "fw-2"), "externalCache"), ["replicated-before failover fail"]],
  ["the external cache is empty", (e) => void data(firewall(failover(e), "before", "fw-2").externalCache).splice(0), ["replicated-before failover fail"]],
  ["the fault did not bite", (e) => (failover(e).fault.effect.bit = false), ["fault-bit failover invalid"]],
  ["the last look was before the fault", (e) => (failback(e).after.atMs = story.failbackMs - 1), ["fault-bit failback invalid"]],
  ["a virtual address stayed behind", (e) => void data(firewall(failback(e), "after", "fw-2").addresses).push({ nic: "eth1", address: "192.168.0.100", prefixLength: 24 }), ["vips-moved failback fail"]],
  ["the giver was not looked at after a failback", (e) => delete failback(e).after.firewalls["fw-2"], ["vips-moved failback fail"]],
  ["a virtual address is on no firewall", (e) => void data(firewall(failover(e), "after", "fw-2").addresses).pop(), ["vips-moved failover fail"]],
  ["a neighbour still has the old MAC", (e) => (must(data(must(failover(e).after.neighbours["client"]))[0]).mac = "52:54:00:f1:02:01"), ["vips-moved failover fail"]],
  ["a neighbour has no entry", (e) => void data(must(failover(e).after.neighbours["omarine"])).splice(0), ["vips-moved failover fail"]],
  ["a neighbour was not looked at", (e) => delete failover(e).after.neighbours["omarine"], ["vips-moved failover invalid"]],
  ["a bridge leads to the old tap", (e) => (must(data(must(failover(e).after.forwarding["br0"]))[0]).port = "fw-1.eth0"), ["vips-moved failover fail"]],
  ["a bridge has not learned and floods", (e) => void data(must(failover(e).after.forwarding["br0"])).splice(0), ["vips-moved failover fail"]],
  ["a TCP record was lost", (e) => removeSeq(flowOf(e, "tcp-000"), "forward", 150), ["flows-survive failover fail"]],
  ["a datagram was lost outside the outage", (e) => removeSeq(flowOf(e, "udp"), "reverse", 150), ["flows-survive failover fail"]],
  ["a record came twice", (e) => repeatLast(flowOf(e, "tcp-000")), ["flows-survive failback fail"]],
  ["records came out of order", (e) => swap(flowOf(e, "tcp-000"), 150), ["flows-survive failover fail"]],
  ["a record was corrupt", (e) => (flowOf(e, "ssh").reverse.corrupt = 1), ["flows-survive failover fail", "flows-survive failback fail"]],
  ["the client connected again", (e) => (flowOf(e, "tcp-000").accepted = 2), ["flows-survive failover fail", "flows-survive failback fail"]],
  ["the server saw a second source", (e) => void flowOf(e, "udp").serverSawSources.push({ address: "192.168.1.2", port: 1024 }), ["flows-survive failover fail", "flows-survive failback fail"]],
  [
    "a flow was reset in the failback",
    (e) => void flowOf(e, "tcp-000").errors.push({ clock: "client", atMs: story.failbackMs + 500 - 1_699_999_950_000, code: "ECONNRESET", message: "read" }),
    ["flows-survive failback fail"],
  ],
  ["a flow never came back", (e) => removeReceived(flowOf(e, "tcp-001"), "reverse", story.failbackMs, story.endMs), ["flows-survive failback fail", "outage-in-bound failback fail"]],
  ["a flow resumed and then died", (e) => removeReceived(flowOf(e, "tcp-001"), "reverse", story.failbackMs + 5000, story.endMs), ["flows-survive failback fail"]],
  ["an idle flow was never told", (e) => silence(flowOf(e, "tcp-002"), story.failbackMs), ["flows-survive failback fail", "outage-in-bound failback fail"]],
  ["a packet of a flow was dropped", (e) => drop(failover(e), 20_000, "192.168.0.3", "192.168.1.3", 7), ["no-drops-on-survivor failover fail"]],
  ["an answer after NAT was dropped at the firewall itself", (e) => drop(failover(e), 7, "192.168.1.3", "192.168.1.100", 20_000, ""), ["no-drops-on-survivor failover fail"]],
  ["a packet of nobody was dropped", (e) => drop(failover(e), 999, "192.168.0.3", "192.168.1.3", 999), ["no-drops-on-survivor failover fail"]],
  ["a packet of the allowed service was dropped", (e) => drop(failover(e), 50_004, "192.168.0.3", "192.168.1.3", 7), ["no-drops-on-survivor failover fail"]],
  ["a drop was counted and not logged", (e) => (must(data(firewall(failback(e), "after", "fw-1").dropCounters)[0]).packets += 1), ["no-drops-on-survivor failback fail"]],
  ["invalid grew without a probe", (e) => (data(firewall(failover(e), "after", "fw-2").conntrackStats)["invalid"] = 9), ["no-drops-on-survivor failover fail"]],
  ["insert_failed grew", (e) => (data(firewall(failover(e), "after", "fw-2").conntrackStats)["insert_failed"] = 1), ["no-drops-on-survivor failover fail"]],
  ["conntrack -S does not tell early_drop", (e) => delete data(firewall(failover(e), "after", "fw-2").conntrackStats)["early_drop"], ["no-drops-on-survivor failover fail"]],
  ["counters before are not told", (e) => unanswered(firewall(failback(e), "before", "fw-1"), "dropCounters"), ["no-drops-on-survivor failback fail"]],
  ["no counter counts drops", (e) => (["before", "after"] as const).forEach((moment) => data(firewall(failover(e), moment, "fw-2").dropCounters).splice(0)), ["no-drops-on-survivor failover fail"]],
  ["refused probes leave no trace on the survivor", (e) => leaveNoTrace(firewall(failover(e), "after", "fw-2")), ["no-drops-on-survivor failover fail"]],
  ["the log is not told", (e) => unanswered(firewall(failover(e), "after", "fw-2"), "loggedPackets"), ["no-drops-on-survivor failover fail"]],
  ["counters were set back", (e) => (must(data(firewall(failover(e), "before", "fw-2").dropCounters)[0]).packets = 100), ["no-drops-on-survivor failover fail"]],
  ["a flow has no entry on the survivor", (e) => void data(firewall(failover(e), "after", "fw-2").conntrack).pop(), ["state-on-survivor failover fail"]],
  ["a flow's NAT changed", (e) => (must(must(data(firewall(failover(e), "after", "fw-2").conntrack)[0]).reply).destinationPort = 1024), ["state-on-survivor failover fail"]],
  ["a flow is not ASSURED", (e) => (must(data(firewall(failback(e), "after", "fw-1").conntrack)[0]).flags = []), ["state-on-survivor failback fail"]],
  ["the survivor's table is not told", (e) => unanswered(firewall(failover(e), "after", "fw-2"), "conntrack"), ["state-on-survivor failover fail"]],
  ["the outage is over the bound", (e) => (failover(e).outageBoundMs = 3100 - 100 - 1), ["outage-in-bound failover fail"]],
  ["the allowed service is silent after", (e) => (probe(failover(e), "allowed-service", "after").outcome = "timeout"), ["new-connections failover fail"]],
  ["the denied service answers during", (e) => (probe(failover(e), "denied-service", "during").outcome = "answered"), ["new-connections failover fail"]],
  ["a forged segment gets through", (e) => (probe(failback(e), "forged-ack", "after").packetsThrough = 1), ["new-connections failback fail"]],
  ["the capture proves nothing", (e) => (probe(failback(e), "forged-ack", "after").capturedControl = 0), ["new-connections failback invalid"]],
  [
    "nobody forwards after the fault, so no connection is there for the capture",
    (e) => {
      probe(failback(e), "forged-ack", "after").capturedControl = 0;
      probe(failback(e), "allowed-service", "after").outcome = "timeout";
    },
    ["new-connections failback fail"],
  ],
  [
    "nobody forwards in the takeover, which comes to an end: then the capture after it has to prove something",
    (e) => {
      failback(e).probes.push({ ...probe(failback(e), "allowed-service", "before"), moment: "during", outcome: "timeout" });
      probe(failback(e), "forged-ack", "after").capturedControl = 0;
    },
    ["new-connections failback invalid"],
  ],
  ["the denied service, asked by UDP from the server's side, is reached", (e) => Object.assign(probe(failover(e), "denied-service", "during"), { from: "server", protocol: "udp", packetsThrough: 1, capturedControl: 1 }), ["new-connections failover fail"]],
  ["the server asked, and the client's capture proves nothing", (e) => (probe(failback(e), "denied-service", "after").from = "server"), ["new-connections failback invalid"]],
  ["the denied service was asked by nobody", (e) => (probe(failover(e), "denied-service", "before").packetsSent = 0), ["new-connections failover invalid"]],
  ["a datagram was dropped that only a TCP probe's port explains", (e) => drop(failover(e), 50_003, "192.168.0.3", "192.168.1.3", 23, "eth0", "udp"), ["no-drops-on-survivor failover fail"]],
  ["a probe was not made", (e) => void failover(e).probes.splice(3, 1), ["new-connections failover invalid"]],
  ["the host was starved", (e) => (e.hostHealth.worstTimerDelayMs = 501), ["host-health run invalid"]],
  ["an endpoint's kernel dropped what its agent did not get to", (e) => (e.hostHealth.unreadDatagrams = [{ machine: "client", count: 0 }, { machine: "omarine", count: 3 }]), ["host-health run invalid"]],
  ["the host held a machine up", (e) => (e.hostHealth.standstills = [{ machine: "fw-1", worstMs: 501 }, { machine: "fw-2", worstMs: 20 }]), ["host-health run invalid"]],
];

test("an allowed connection that was begun while the duty moved may be lost; one that the survivor of a power cut answered may not", () => {
  const evidence = healthyRun();
  const asked: Probe = { ...probe(failover(evidence), "allowed-service", "before"), moment: "during", sourcePorts: [50_090] };
  failover(evidence).probes.push(asked);
  drop(failover(evidence), must(asked.sourcePorts[0]), "192.168.0.3", "192.168.1.3", 7);
  expect(judge(evidence).checks).toContainEqual(expect.objectContaining({ id: "no-drops-on-survivor", phase: "failover", verdict: "fail" }));
  asked.outcome = "timeout";
  expect(judge(evidence).verdict).toBe("pass");
});

test("an allowed connection that was answered while the duty was given back may be lost, for its answerer lived; one from before may not", () => {
  const evidence = healthyRun();
  const asked: Probe = { ...probe(failback(evidence), "allowed-service", "before"), moment: "during", sourcePorts: [50_091] };
  failback(evidence).probes.push(asked);
  drop(failback(evidence), must(asked.sourcePorts[0]), "192.168.0.3", "192.168.1.3", 7);
  expect(judge(evidence).verdict).toBe("pass");
  asked.moment = "before";
  expect(judge(evidence).checks).toContainEqual(expect.objectContaining({ id: "no-drops-on-survivor", phase: "failback", verdict: "fail" }));
});

describe("one change flips its own check and no other", () => {
  test.each(mutations)("%s", (_, change, expected) => {
    const evidence = healthyRun();
    change(evidence);
    expect(notPassed(evidence)).toEqual(expected);
    expect(judge(evidence).verdict).toBe(expected.some((line) => line.endsWith("invalid")) ? "invalid" : "fail");
  });
});

describe("no check passes on nothing", () => {
  const aboutFlows: CheckId[] = ["steady-before", "replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor", "outage-in-bound"];
  test("no flows", () => {
    const results = notPassed({ ...healthyRun(), flows: [] });
    expect(results).toEqual(["failover", "failback"].flatMap((phase) => aboutFlows.map((id) => `${id} ${phase} invalid`)));
  });

  test("no firewall answered", () => {
    const evidence = healthyRun();
    for (const transition of evidence.transitions) for (const moment of ["before", "after"] as const) transition[moment].firewalls = {};
    const aboutFirewalls: CheckId[] = ["steady-before", "replicated-before", "vips-moved", "no-drops-on-survivor", "state-on-survivor"];
    expect(notPassed(evidence)).toEqual(["failover", "failback"].flatMap((phase) => aboutFirewalls.map((id) => `${id} ${phase} fail`)));
  });

  test("no clock was measured", () => {
    expect(notPassed({ ...healthyRun(), clocks: [] })).toEqual(["failover", "failback"].flatMap((phase) => ["steady-before", "flows-survive", "outage-in-bound"].map((id) => `${id} ${phase} invalid`)));
  });

  test("flows that sent nothing", () => {
    const evidence = healthyRun();
    for (const { forward, reverse } of evidence.flows) for (const { sent, received } of [forward, reverse]) for (const column of [sent.seq, sent.atMs, received.seq, received.atMs]) column.splice(0);
    expect(notPassed(evidence).filter((line) => line.includes("failover"))).toEqual(["steady-before", "flows-survive", "outage-in-bound"].map((id) => `${id} failover fail`));
  });

  test("no probes, no transition, an unknown topology, an interruption", () => {
    const evidence = healthyRun();
    failover(evidence).probes = [];
    expect(notPassed(evidence)).toContain("new-connections failover invalid");
    expect(judge({ ...healthyRun(), transitions: [] })).toMatchObject({ verdict: "invalid", flows: healthyRun().flows.map(() => ({ survived: false })) });
    expect(judge({ ...healthyRun(), topology: "moebius" })).toMatchObject({ verdict: "invalid", reason: "unknown topology moebius" });
    expect(judge({ ...healthyRun(), interrupted: "open 50 flows: SIGINT" })).toMatchObject({ verdict: "invalid", reason: expect.stringContaining("SIGINT") as string });
  });
});

test("a failback that is seen late: datagrams lost shortly before it was seen are its own", () => {
  const evidence = healthyRun();
  const { fault } = failback(evidence);
  fault.atMs += story.failbackOutageMs + 300;
  expect(notPassed(evidence)).toEqual([]);
  fault.atMs += 1000;
  expect(notPassed(evidence)).toContain("flows-survive failover fail");
});

test("the control: without conntrackd the flows die, and the checks say why", () => {
  const evidence = healthyRun(50);
  evidence.transitions.splice(1);
  const only = failover(evidence);
  unanswered(firewall(only, "before", "fw-2"), "externalCache");
  data(firewall(only, "after", "fw-2").conntrack).splice(0);
  for (const flow of evidence.flows) {
    for (const name of ["forward", "reverse"] as const) removeReceived(flow, name, story.failoverMs, story.endMs);
    if (flow.kind !== "udp") drop(only, flow.tuple.source.port, "192.168.0.3", "192.168.1.3", flow.tuple.destination.port);
  }
  const judgement = judge(evidence);
  expect(judgement.verdict).toBe("fail");
  expect(notPassed(evidence)).toEqual(["replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor", "outage-in-bound"].map((id) => `${id} failover fail`));
  const drops = judgement.checks.find(({ id }) => id === "no-drops-on-survivor");
  expect(drops?.explanation).toMatch(/^dropped packets of flows: tcp-000 \(1\), tcp-001 \(1\), tcp-002 \(1\) and \d+ more/u);
  expect(judgement.flows.filter(({ survived }) => survived)).toEqual([]);
});

test("1,000 flows are judged within 5 s", () => {
  const evidence = healthyRun(1000, 50);
  // The processor's time, of all threads: other tests at the same time do not count.
  const before = process.cpuUsage();
  expect(judge(evidence).verdict).toBe("pass");
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(5_000);
  // It may wait for a processor for longer than it needs one.
}, 60_000);

const clockOffset = { forward: 1_699_999_912_345, reverse: 1_699_999_950_000 };

/** Lets a receiver have got nothing that came in at or after one host time and before another. */
function removeReceived(flow: FlowLedger, name: "forward" | "reverse", fromMs: number, untilMs: number): void {
  const { received } = flow[name];
  const keep = received.atMs.map((atMs) => atMs + clockOffset[name] < fromMs || atMs + clockOffset[name] >= untilMs);
  received.seq = received.seq.filter((_, index) => keep[index]);
  received.atMs = received.atMs.filter((_, index) => keep[index]);
}

function removeSeq(flow: FlowLedger, name: "forward" | "reverse", seq: number): void {
  const { received } = flow[name];
  const index = received.seq.indexOf(seq);
  received.seq.splice(index, 1);
  received.atMs.splice(index, 1);
}

function repeatLast({ forward: { received } }: FlowLedger): void {
  received.seq.push(must(received.seq.at(-1)));
  received.atMs.push(must(received.atMs.at(-1)) + 1);
}

function swap({ forward: { received } }: FlowLedger, seq: number): void {
  const index = received.seq.indexOf(seq);
  received.seq.splice(index, 2, seq + 1, seq);
}

function silence(flow: FlowLedger, fromMs: number): void {
  for (const name of ["forward", "reverse"] as const) {
    const { sent } = flow[name];
    const count = sent.atMs.filter((atMs) => atMs + 1_699_999_900_000 < fromMs).length;
    sent.seq.splice(3);
    sent.atMs.splice(3);
    flow[name].received.seq.splice(3);
    flow[name].received.atMs.splice(3);
    expect(count).toBeGreaterThanOrEqual(3);
  }
}

function leaveNoTrace(views: FirewallViews): void {
  data(views.loggedPackets).splice(0);
  must(data(views.dropCounters)[0]).packets = 0;
  data(views.conntrackStats)["invalid"] = 0;
}

/** A packet that the survivor dropped, counted and logged; on its way to the firewall itself when `outNic` is empty, and then not counted on the forward hook. */
function drop(transition: Transition, sourcePort: number, source: string, destination: string, destinationPort: number, outNic = "eth0", protocol = "tcp"): void {
  const views = firewall(transition, "after", transition.to);
  data(views.loggedPackets).push({ uptimeSeconds: 99 + sourcePort, prefix: "fw-drop: ", protocol, inNic: "eth1", outNic, source, destination, sourcePort, destinationPort, flags: ["ACK"] });
  if (outNic !== "") must(data(views.dropCounters)[0]).packets += 1;
}

describe("a duty that came back before anybody had looked", () => {
  const early = (): Evidence => {
    const evidence = healthyRun();
    const transition = failback(evidence);
    transition.unseenBefore = "fw-1 took the duty over before everything had been looked at";
    transition.before.atMs = transition.fault.atMs + 900;
    return evidence;
  };

  test("what was before is not judged on that way, and all else is", () => {
    const { verdict, checks: results } = judge(evidenceSchema.parse(early()));
    expect(verdict).toBe("pass");
    expect(results.filter(({ phase }) => phase === "failback").map(({ id }) => id)).toEqual(ids.filter((id) => id !== "steady-before" && id !== "replicated-before"));
    expect(results.filter(({ phase }) => phase === "failover").map(({ id }) => id)).toEqual(ids);
  });

  test("the control: flows that die by it fail the run; and without the word, a look that came late judges nothing", () => {
    const dead = early();
    must(dead.flows[0]).errors.push({ clock: "host", atMs: failback(dead).fault.atMs + 100, code: "ECONNRESET", message: "reset" });
    expect(judge(dead).verdict).not.toBe("pass");
    const unsaid = early();
    delete failback(unsaid).unseenBefore;
    expect(notPassed(unsaid)).toContain("fault-bit failback invalid");
  });
});

describe("a pair without external caches, by its daemons' own word", () => {
  /** What a backup has of the other's states is in its kernel's table; the cache that it does not keep is told as empty. */
  function withoutCaches(): Evidence {
    const evidence: Evidence = { ...healthyRun(), injecting: ["fw-1", "fw-2"] };
    for (const { before, from, to } of evidence.transitions) {
      const replica = must(before.firewalls[to]);
      data(replica.externalCache).splice(0);
      data(replica.conntrack).push(...structuredClone(data(must(before.firewalls[from]).conntrack)));
    }
    return evidence;
  }

  test("has the states in the kernel's table, and passes", () => {
    const evidence = evidenceSchema.parse(withoutCaches());
    expect(notPassed(evidence)).toEqual([]);
    expect(judge(evidence).checks.find(({ id }) => id === "replicated-before")?.measured).toMatch(/^6 of 6 flows replicated to fw-2/u);
  });

  test.each<[string, (evidence: Evidence) => unknown, RegExp]>([
    ["a flow is in neither", (e) => void data(firewall(failover(e), "before", "fw-2").conntrack).shift(), /in fw-2's kernel's table: tcp-000: no entry/u],
    ["nothing is in either", (e) => void data(firewall(failover(e), "before", "fw-2").conntrack).splice(0), /in fw-2's kernel's table: .* and 3 more/u],
    ["another translation is in it", (e) => (must(data(firewall(failover(e), "before", "fw-2").conntrack)[0]?.reply).destinationPort = 1), /answers expected as/u],
    ["it cannot be read", (e) => unanswered(firewall(failover(e), "before", "fw-2"), "conntrack"), /connection lost/u],
    ["only the other one keeps no cache", (e) => (e.injecting = ["fw-1"]), /in fw-2's external cache: .*no entry/u],
    ["neither says so", (e) => delete e.injecting, /in fw-2's external cache: .*no entry/u],
  ])("the control: %s", (_, change, told) => {
    const evidence = withoutCaches();
    change(evidence);
    const [check] = judge(evidence).checks.filter(({ id }) => id === "replicated-before");
    expect(check).toMatchObject({ verdict: "fail", explanation: expect.stringMatching(told) as string });
  });
});

describe("a way back that is struck, because the pair does not preempt", () => {
  const struck = (): Evidence => {
    const evidence = healthyRun();
    const transition = failback(evidence);
    transition.fault = { ...transition.fault, id: "power-cut", target: "fw-2" };
    transition.after.firewalls = { "fw-1": must(transition.after.firewalls["fw-1"]) };
    return evidence;
  };

  test("the firewall that was struck is not asked what it holds", () => {
    expect(notPassed(struck())).toEqual([]);
  });

  test("the control: where the duty came back by itself, the other must be seen without it", () => {
    const evidence = struck();
    failback(evidence).fault.id = "failback";
    expect(notPassed(evidence)).toEqual(["vips-moved failback fail"]);
  });
});
