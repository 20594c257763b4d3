import { beforeAll, describe, expect, test } from "vitest";
import type { Evidence } from "../../evidence/evidence.ts";
import type { LoggedPacket } from "../../evidence/observation.ts";
import type { Run } from "../../evidence/run.ts";
import { story } from "../../judge/healthyRun.ts";
import { healthyReport } from "./healthyReport.ts";
import { renderRunReport } from "./runReport.ts";
import type { RunReportInput } from "./runInput.ts";

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;

/** A flow of six that carries nothing any more after the fault: its last records are those before it. */
function killFlow({ flows }: Evidence, id: string): void {
  const flow = flows.find((each) => each.id === id);
  if (flow === undefined) throw new RangeError(id);
  for (const direction of [flow.forward, flow.reverse]) {
    const kept = direction.received.atMs.filter((atMs) => atMs + 1_699_999_912_345 < story.failoverMs).length;
    direction.received.atMs.length = kept;
    direction.received.seq.length = kept;
  }
}

/** A packet of the first flow that the survivor's ruleset dropped, as it is in the kernel's log. */
const fallen: LoggedPacket = { uptimeSeconds: 38.25, prefix: "fw-invalid: ", protocol: "tcp", inNic: "eth1", outNic: "eth0", source: "192.168.0.3", destination: "192.168.1.3", sourcePort: 20_000, destinationPort: 7, flags: ["ACK"] };
const kernelLine = "[   38.250000] fw-invalid: IN=eth1 OUT=eth0 MAC=52:54:00:f1:03:01 SRC=192.168.0.3 DST=192.168.1.3 LEN=46 TTL=63 ID=28580 DF PROTO=TCP SPT=20000 DPT=7 WINDOW=65535 RES=0x00 ACK PSH URGP=0 ";

function dropPacket({ transitions }: Evidence): void {
  const views = transitions[0]?.after.firewalls["fw-2"];
  if (views?.loggedPackets.ok !== true || !views.dropCounters.ok) throw new RangeError("a healthy run's views are there");
  views.loggedPackets.data.push(fallen);
  views.dropCounters.data = views.dropCounters.data.map((counter) => ({ ...counter, packets: counter.packets + 1 }));
}

const reading = (input: RunReportInput, texts: Readonly<Record<string, string>>): RunReportInput => ({ ...input, files: [...new Set([...input.files, ...Object.keys(texts)])], read: (path) => Promise.resolve(texts[path]) });

test("a run that passed says so first, and has nothing to look at first", async () => {
  const page = await renderRunReport(healthyReport(6));
  expect(page.indexOf("PASS")).toBeLessThan(page.indexOf("<h1>"));
  expect(page).toContain("all 6 flows survived failover and failback");
  expect(page).not.toContain("Look at this first");
});

test("what a dropped packet's check shows are the kernel's own line with its flow, and the rule with what it grew by", async () => {
  const input = reading(healthyReport(6, dropPacket), {
    "observations/failover-after/fw-2/loggedPackets.txt": `[    1.000000] other\n${kernelLine}\n`,
    "observations/failover-after/fw-2/dropCounters.txt": JSON.stringify({ nftables: [{ rule: { chain: "forward", comment: "forward refused", expr: [{ counter: {} }, { drop: null }] } }] }),
  });
  const page = await renderRunReport(input);
  expect(page).toContain("Look at this first");
  expect(page).toMatch(/loggedPackets\.txt[^]*?<span class="muted"> {4}2 <\/span><mark>tcp-000: \[ {3}38\.250000\] fw-invalid: IN=eth1 OUT=eth0 SRC=192\.168\.0\.3/u);
  expect(page).toMatch(/\+5 packets: \{&quot;chain&quot;:&quot;forward&quot;,&quot;comment&quot;:&quot;forward refused&quot;/u);
});

test("a flow that never moved again is shown by its ledger, and by what the survivor's daemons wrote then", async () => {
  const journal = [
    "Nov 14 22:13:29.000000 fw-2 Keepalived_vrrp[161]: Printing VRRP as json for process(161) on signal",
    "Nov 14 22:13:32.816551 fw-2 Keepalived_vrrp[161]: (inside) Entering MASTER STATE",
    ...[1, 2, 3].map((line) => `Nov 14 22:13:32.83${line}000 fw-2 Keepalived_vrrp[161]: Error 105 (No buffer space available) sending gratuitous ARP`),
    "Nov 14 22:13:32.928171 fw-2 ha-notify[214]: ERROR: conntrackd -c (commit the other node's states to the kernel) failed",
    "Nov 14 22:20:00.000000 fw-2 ha-notify[214]: ERROR: much later",
  ].join("\n");
  const page = await renderRunReport(reading(healthyReport(6, (evidence) => killFlow(evidence, "tcp-000")), { "journals/failover-after/fw-2.txt": journal }));
  expect(page).toContain("forward: of what was sent after the fault nothing came in");
  expect(page).toContain("<mark>Nov 14 22:13:32.928171 fw-2 ha-notify[214]: ERROR: conntrackd -c (commit the other node");
  expect(page).toContain("(and 2 more like it)");
  expect(page).not.toMatch(/Printing VRRP|much later/u);
});

test("an interrupted run says what ended it", async () => {
  const page = await renderRunReport(healthyReport(6, (evidence) => {
    evidence.interrupted = "QEMU of client ended";
    evidence.transitions = [];
  }));
  expect(page).toMatch(/INVALID[^]*The run did not come to its end:<\/strong> QEMU of client ended/u);
});

test("a bundle of an older fwlab, without timeline, drops, capture and command, has a report that says what it lacks", async () => {
  const { command, capture, begun, ...old } = healthyReport(6).run;
  expect([command, begun]).toEqual(["npm start -- --flows 6", "warm"]);
  expect(capture).toBeDefined();
  const page = await renderRunReport({ ...healthyReport(6), run: { ...old, timelines: [], drops: [], outages: [], versions: {} } });
  expect(page).toMatch(/There is no timeline[^]*Drops were not counted at the taps[^]*has no capture/u);
});

const failover = <T extends { phase: string }>(all: readonly T[], change: (one: T) => T) => all.map((one) => (one.phase === "failover" ? change(one) : one));

describe("every figure comes from the input", () => {
  const changes: readonly (readonly [what: string, (run: Run) => Run, shown: string])[] = [
    ["the firewall's part", (run) => ({ ...run, timelines: failover(run.timelines, (one) => ({ ...one, firewallMs: 1234.4 })) }), "1,234 ms"],
    ["a moment", (run) => ({ ...run, timelines: failover(run.timelines, (one) => ({ ...one, moments: one.moments.map((each) => (each.step === "committed" ? { ...each, atMs: story.failoverMs + 2345 } : each)) })) }), "+2,345 ms"],
    ["a moment that was not seen", (run) => ({ ...run, timelines: failover(run.timelines, (one) => ({ ...one, moments: one.moments.map((each) => (each.step === "committed" ? { ...each, atMs: null, detail: "no commit was logged" } : each)) })) }), "no commit was logged"],
    ["the window", (run) => ({ ...run, timelines: failover(run.timelines, (one) => ({ ...one, window: one.window && { ...one.window, lengthMs: 77.7, packets: { entered: 41, forwarded: 30, dropped: 9, answered: 2 } } })) }), "41 packets of flows met it then: 30 were forwarded, 9 dropped, 2 answered"],
    ["a flow's back-off", (run) => ({ ...run, timelines: failover(run.timelines, (one) => ({ ...one, flows: one.flows.map((flow) => ({ ...flow, backoffMs: 4567 })) })) }), "4,567 ms"],
    ["drops by the taps", (run) => ({ ...run, drops: failover(run.drops, (one) => ({ ...one, dropped: 1717, flows: [{ id: "tcp-000", direction: "forward", moment: "outage", packets: 1717, firstAtMs: story.failoverMs + 3001 }] })) }), "fw-2 drops the first of 1717 packets of flows"],
    ["a disagreement", (run) => ({ ...run, drops: failover(run.drops, (one) => ({ ...one, disagreement: "the taps miss 5, the ruleset counted 4" })) }), "the taps miss 5, the ruleset counted 4"],
    ["the outage", (run) => ({ ...run, outages: failover(run.outages, (one) => ({ ...one, networkMs: 9191 })) }), "9,191 ms"],
    ["the capture's losses", (run) => ({ ...run, capture: run.capture === undefined || run.capture === "off" ? run.capture ?? "off" : { ...run.capture, points: [{ interface: "br0", packets: 88_123, dropped: 313 }] } }), "313 lost by the capture"],
    ["a duration", (run) => ({ ...run, durations: { ...run.durations, totalMs: 123_400 } }), "total 123.4 s"],
    ["the command", (run) => ({ ...run, command: "npm start -- --flows 77" }), "npm start -- --flows 77"],
    ["a check", (run) => ({ ...run, checks: run.checks.map((check) => ({ ...check, measured: "4242 of 4242" })) }), "4242 of 4242"],
  ];
  let before: string;
  beforeAll(async () => {
    before = await renderRunReport(healthyReport(6));
  });
  test.each(changes)("%s", async (_, change, shown) => {
    expect(before).not.toContain(shown);
    expect(await renderRunReport(healthyReport(6, undefined, change))).toContain(shown);
  });

  test("a flow's line is its ledger's records: one that comes in later moves it", async () => {
    const section = async (input: RunReportInput) => /<section aria-labelledby="progress">[^]*?<\/section>/u.exec(await renderRunReport(input))?.[0];
    const input = healthyReport(6);
    const later = healthyReport(6);
    for (const flow of later.evidence.flows.filter(({ id }) => id === "udp-005")) flow.forward.received.atMs = flow.forward.received.atMs.map((atMs, index, all) => (atMs > 98_000 ? atMs + 500 : (all[index] ?? 0)));
    expect(await section(later)).not.toBe(await section(input));
    expect(await section(healthyReport(6))).toBe(await section(input));
  });
});

test("a machine's words never become markup, and no link leads out of the bundle", async () => {
  const evil = (evidence: Evidence) => {
    evidence.interrupted = hostile;
    for (const flow of evidence.flows) {
      flow.id = `${hostile}${flow.id}`;
      flow.errors.push({ clock: "client", atMs: 1, code: hostile, message: hostile });
    }
    for (const { fault } of evidence.transitions) Object.assign(fault, { id: hostile, effect: { ...fault.effect, measured: hostile } });
  };
  const tell = (run: Run): Run => ({
    ...run,
    reason: hostile,
    command: hostile,
    config: { ...run.config, path: hostile, overlays: [hostile] },
    versions: { [hostile]: hostile },
    host: { ...run.host, accelReason: hostile, qemu: hostile },
    checks: run.checks.map((check) => ({ ...check, verdict: "invalid", id: hostile, measured: hostile, allowed: hostile, explanation: hostile, evidence: ["javascript:alert(1)", "../../etc/passwd", "//elsewhere/x", hostile, "ledgers/a b#?.json"] })),
    timelines: run.timelines.map((timeline) => ({ ...timeline, moments: timeline.moments.map((moment) => ({ ...moment, subject: hostile, detail: hostile, evidence: hostile })) })),
    drops: run.drops.map((drops) => ({ ...drops, dropped: 1, disagreement: hostile, flows: [{ id: hostile, direction: "forward", moment: "outage", packets: 1, firstAtMs: 0 }], answered: [{ id: hostile, direction: "forward", what: hostile, packets: 1, firstAtMs: 0 }] })),
  });
  const input = healthyReport(6, evil, tell);
  const page = await renderRunReport(reading(input, { "ledgers/a b#?.json": hostile, [hostile]: hostile }));
  expect(page).not.toMatch(/<script|<img|\bonerror="/iu);
  const links = [...page.matchAll(/href="([^"]*)"/gu)].map(([, href]) => href ?? "");
  expect(links.filter((href) => !/^(?:#[a-z]+|data:,|\.\/[^:]*)$/u.test(href))).toEqual([]);
  expect(links.filter((href) => href.split("/").includes("..") || href.startsWith(".//"))).toEqual([]);
  expect(links).toContain("./ledgers/a%20b%23%3F.json");
});

test("size and time are bounded, and grow about linearly with the flows", async () => {
  const rendered = async (flows: number) => {
    const input = healthyReport(flows);
    // Time of the processor, because others use it too.
    const begin = process.cpuUsage();
    const page = await renderRunReport(input);
    const { user, system } = process.cpuUsage(begin);
    return { bytes: Buffer.byteLength(page), ms: (user + system) / 1000 };
  };
  await rendered(6);
  const fifty = await rendered(50);
  const thousand = await rendered(1000);
  expect(fifty.bytes).toBeLessThan(1_500_000);
  expect(thousand.bytes).toBeLessThan(1_500_000);
  expect(fifty.ms).toBeLessThan(1_500);
  expect(thousand.ms).toBeLessThan(8_000);
  expect(thousand.ms / fifty.ms).toBeLessThan(30);
}, 40_000);
