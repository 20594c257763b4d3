import { describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { AdvertisementBody, Packet } from "../evidence/packet.ts";
import type { Timeline, TimelineStep } from "../evidence/timeline.ts";
import { primaryBackupIpv6 } from "../topology/primaryBackup.ts";
import { healthyRun, story } from "./healthyRun.ts";
import { judge } from "./judge.ts";
import { arp, guest, script, takeover, through } from "./timeline.fixture.ts";

function failoverOf(evidence: Evidence, packets?: readonly Packet[]): Timeline {
  const timeline = judge(evidence, { packets }).timelines.find(({ phase }) => phase === "failover");
  if (timeline === undefined) throw new Error("no timeline of the failover");
  return timeline;
}

function moment({ moments }: Timeline, step: TimelineStep, subject?: string) {
  const found = moments.filter((each) => each.step === step && (subject === undefined || each.subject === subject));
  expect(found, `${step} ${subject ?? ""}`).toHaveLength(1);
  return found[0] ?? { step, subject: "", atMs: null, errorMs: 0, detail: "", evidence: "" };
}

/** Milliseconds after the fault. */
const after = (timeline: Timeline, step: TimelineStep, subject?: string) => (moment(timeline, step, subject).atMs ?? Number.NaN) - story.failoverMs;

const { evidence, packets } = takeover();
const whole = failoverOf(evidence, packets);
const packetSteps: readonly TimelineStep[] = ["last-advert", "first-advert", "announced", "forwarding-moved", "first-forwarded"];

describe("a failover that was seen whole", () => {
  test("packets are the host's moments, to the microsecond", () => {
    for (const bridge of ["br0", "br1"]) {
      expect(after(whole, "last-advert", bridge)).toBe(script.lastAdvert);
      expect(after(whole, "first-advert", bridge)).toBe(script.firstAdvert);
      expect(after(whole, "announced", bridge)).toBe(script.announced);
    }
    expect(after(whole, "first-forwarded", "forward")).toBe(script.forwarded + 1);
    expect(after(whole, "first-forwarded", "reverse")).toBe(script.reversed + 1);
    for (const { errorMs, evidence: file } of whole.moments.filter(({ step }) => step === "last-advert" || step === "first-forwarded")) expect([errorMs, file]).toEqual([0, "captures/lab.pcapng"]);
  });

  test("a firewall's own words are converted by its clock, with its error and its drift", () => {
    const drifted = (afterMs: number) => afterMs - (guest.driftMs * afterMs) / 8_000;
    for (const [step, subject, afterMs] of [["master", "eth1", script.masterInside], ["master", "eth0", script.masterOutside], ["address-up", "192.168.0.100", script.insideUp], ["address-up", "192.168.1.100", script.outsideUp], ["committed", "fw-2", script.commitEnded]] as const) {
      expect(after(whole, step, subject)).toBeCloseTo(drifted(afterMs), 1);
      expect(moment(whole, step, subject).errorMs).toBe(guest.errorMs);
    }
    expect(moment(whole, "committed").detail).toMatch(/6 new entries.*10\.0 ms/u);
  });

  test("a bridge that knew the survivor's MAC all along leads there from the announcement on, and says so", () => {
    expect(after(whole, "forwarding-moved", "br0")).toBe(script.announced);
    expect(moment(whole, "forwarding-moved", "br0").detail).toContain("knew all along");
  });

  test("the firewall's part is from the fault to the later of both ways", () => {
    expect(whole.firewallMs).toBe(script.reversed + 1);
  });

  test("each stall divides into the firewall's part and what came after, and both make up the stall", () => {
    const stalled = whole.flows.filter(({ firewallMs }) => firewallMs !== null);
    const speaking = evidence.flows.filter(({ mode }) => mode !== "idle").map(({ id }) => id);
    expect([...new Set(stalled.map(({ id }) => id))]).toEqual(speaking);
    for (const { direction, lastAtMs, resumedAtMs, firewallMs, backoffMs } of stalled) {
      expect(resumedAtMs).toBeGreaterThan(story.failoverMs);
      expect((firewallMs ?? 0) + (backoffMs ?? 0)).toBeCloseTo((resumedAtMs ?? 0) - (lastAtMs ?? 0), 0);
      expect((lastAtMs ?? 0) + (firewallMs ?? 0) - story.failoverMs).toBeCloseTo(direction === "forward" ? script.forwarded + 1 : script.reversed + 1, 0);
    }
  });

  test("the last flow moves when its stall is over", () => {
    const ends = whole.flows.flatMap(({ resumedAtMs }) => resumedAtMs ?? []);
    expect(moment(whole, "last-flow-moves").atMs).toBe(Math.max(...ends));
    expect(moment(whole, "last-flow-moves").evidence).toMatch(/^ledgers\//u);
  });

  test("nothing of it is called out of order", () => {
    for (const timeline of judge(evidence, { packets }).timelines) for (const { detail } of timeline.moments) expect(detail).not.toContain("out of order");
  });
});

describe("the window in which the survivor has the addresses and not the states", () => {
  const flow = evidence.flows[0];
  if (flow === undefined) throw new Error("the healthy run has flows");

  test("its length, and nothing met the survivor in it", () => {
    expect(whole.window?.lengthMs).toBeCloseTo(script.commitEnded - script.outsideUp, 0);
    expect(whole.window).toMatchObject({ errorMs: guest.errorMs, packets: { entered: 0, forwarded: 0, dropped: 0, answered: 0 } });
  });

  test("the control: packets that met it there are counted by what happened to them; those before and after are not", () => {
    const met = [...through(flow, "forward", 2_760, 11), ...through(flow, "forward", 2_770, 12, false), ...through(flow, "reverse", 2_780, 13, false), ...through(flow, "forward", 2_500, 14, false), ...through(flow, "forward", 2_820, 15, false)];
    const { window } = failoverOf(evidence, [...packets, ...met].toSorted((a, b) => a.atMs - b.atMs));
    expect(window?.packets).toEqual({ entered: 3, forwarded: 1, dropped: 2, answered: 0 });
  });

  test("states that were there first make it negative", () => {
    const early = takeover({ commitBegan: 2_600, commitEnded: 2_610 });
    const { window } = failoverOf(early.evidence, early.packets);
    expect(window?.lengthMs).toBeCloseTo(2_610 - script.outsideUp, 0);
    expect(window?.packets?.entered).toBe(0);
  });
});

describe("what is missing is told, never left out", () => {
  const steps = (timeline: Timeline) => timeline.moments.map(({ step, subject }) => `${step} ${subject}`);
  const subjects = steps(whole).filter((each) => !each.startsWith("last-flow-moves"));

  test.each(["off", undefined] as const)("capture %s: journal and ledgers still tell their moments", (capture) => {
    const { capture: taken, ...without } = evidence;
    expect(taken).toBeDefined();
    const timeline = failoverOf(capture === undefined ? without : { ...without, capture });
    expect(steps(timeline)).toEqual(expect.arrayContaining(subjects));
    for (const { step, atMs, detail } of timeline.moments) {
      if (packetSteps.includes(step)) expect([step, atMs, detail]).toEqual([step, null, expect.stringContaining(capture === "off" ? "no capture was wanted" : "there is no capture")]);
      else expect(atMs, step).not.toBeNull();
    }
    expect(timeline).toMatchObject({ firewallMs: null, window: { packets: null } });
    expect(timeline.flows.length).toBeGreaterThan(0);
    for (const { firewallMs, backoffMs } of timeline.flows) expect([firewallMs, backoffMs]).toEqual([null, null]);
  });

  test("no word from the survivor", () => {
    const timeline = failoverOf({ ...evidence, events: [] }, packets);
    expect(steps(timeline)).toEqual(expect.arrayContaining(subjects));
    for (const step of ["master", "address-up", "committed"] as const) for (const { atMs, detail } of timeline.moments.filter((each) => each.step === step)) expect([atMs, detail === ""]).toEqual([null, false]);
    expect(moment(timeline, "address-up", "192.168.0.100").detail).toContain("it was there when everything was looked at");
    expect(timeline.window).toBeNull();
    expect(timeline.firewallMs).toBe(script.reversed + 1);
  });

  test("a clock that nobody measured", () => {
    const timeline = failoverOf({ ...evidence, clocks: evidence.clocks.filter(({ clock }) => clock !== "fw-2/realtime") }, packets);
    expect(moment(timeline, "master", "eth0")).toMatchObject({ atMs: null, detail: expect.stringContaining("fw-2/realtime was not measured") as string });
  });

  test("a survivor that never spoke, never announced and never forwarded", () => {
    const silent = packets.filter(({ sourceMac, point }) => !sourceMac.startsWith("52:54:00:f1:03") && !point.startsWith("fw-2"));
    const timeline = failoverOf(evidence, silent);
    for (const [step, words] of [["first-advert", "no advert of fw-2 on br0"], ["announced", "no ARP on br0 led 192.168.1.100 to fw-2"]] as const) expect(moment(timeline, step, "br0")).toMatchObject({ atMs: null, detail: expect.stringContaining(words) as string });
    expect(moment(timeline, "first-forwarded", "reverse")).toMatchObject({ atMs: null, detail: expect.stringContaining("no packet of a flow went through fw-2") as string });
    expect(after(timeline, "last-advert", "br1")).toBe(script.lastAdvert);
  });

  test("a run of which nothing is known has no timeline", () => {
    expect(judge({ ...healthyRun(), flows: [] }).timelines).toEqual([]);
  });
});

describe("who announces", () => {
  test("the old firewall's ARP leads nowhere new, a virtual router's MAC counts from the survivor's first advert on", () => {
    const virtual = "00:00:5e:00:01:0a";
    const moved = packets.filter(({ body, point }) => !(body.kind === "arp" && point === "br0"));
    const more = [arp("fw-1", "br0", 100), arp("fw-1", "br0", 200, virtual), arp("fw-2", "br0", 2_860, virtual)];
    const timeline = failoverOf(evidence, [...moved, ...more].toSorted((a, b) => a.atMs - b.atMs));
    expect(after(timeline, "announced", "br0")).toBe(2_860);
    expect(moment(timeline, "forwarding-moved", "br0").atMs).toBeNull();
    const learned = { kind: "forwarding", where: "br0", clock: "host-epoch", source: "events/forwarding.txt", text: "", mac: virtual, port: "fw-2.eth0", change: "learned" } as const;
    const told = failoverOf({ ...evidence, events: [...evidence.events, { ...learned, atMs: story.failoverMs + 2_751 }] }, [...moved, ...more]);
    expect(after(told, "forwarding-moved", "br0")).toBe(2_751);
  });
});

describe("who announces over IPv6", () => {
  const { address } = primaryBackupIpv6.virtualAddresses.find(({ bridge }) => bridge === "br0") ?? { address: "" };
  const over6 = { ...evidence, topology: primaryBackupIpv6.name };
  const said = (machine: "fw-1" | "fw-2", afterMs: number, changes: Partial<AdvertisementBody> = {}): Packet => {
    const like = arp(machine, "br0", afterMs);
    return { ...like, destinationMac: "33:33:00:00:00:01", body: { kind: "advertisement", targetMac: like.sourceMac, targetAddress: address, solicited: false, ...changes } };
  };
  const timelineOf = (more: readonly Packet[]) => failoverOf(over6, [...packets.filter(({ body }) => body.kind !== "arp"), ...more].toSorted((a, b) => a.atMs - b.atMs));

  test("the survivor's neighbour advertisement for the virtual address, not the old firewall's, and not one for another address", () => {
    const timeline = timelineOf([said("fw-1", 100), said("fw-2", 200, { targetAddress: "fe80::2" }), said("fw-2", 2_870), said("fw-2", 2_900)]);
    expect(after(timeline, "announced", "br0")).toBe(2_870);
    expect(moment(timeline, "announced", "br0").detail).toContain("unsolicited neighbour advertisement");
  });

  test("an answer to a solicitation leads there too, as does a virtual router's MAC of IPv6", () => {
    expect(after(timelineOf([said("fw-2", 2_880, { solicited: true, targetMac: "00:00:5e:00:02:0a" })]), "announced", "br0")).toBe(2_880);
  });

  test("without any, it is not seen", () => {
    expect(moment(timelineOf([said("fw-1", 100)]), "announced", "br0")).toMatchObject({ atMs: null, detail: expect.stringContaining("neighbour advertisement") as string });
  });
});

describe("an order that a working pair cannot have is called out, on the moment that came too early", () => {
  const calledOut = (changes: Parameters<typeof takeover>[0]) => {
    const made = takeover(changes);
    return failoverOf(made.evidence, made.packets).moments.filter(({ detail }) => detail.includes("out of order")).map(({ step, subject }) => `${step} ${subject}`);
  };

  test("forwarded before MASTER, and before anything led there", () => {
    expect(calledOut({ forwarded: 1_000 })).toEqual(["first-forwarded forward"]);
  });

  test("an advert before MASTER", () => {
    expect(calledOut({ firstAdvert: 2_000 })).toEqual(["first-advert br0", "first-advert br1"]);
  });

  test("within the clocks' errors and the daemons' haste, nothing", () => {
    expect(calledOut({ firstAdvert: script.masterInside - 20 })).toEqual([]);
  });

  test("an old master that speaks on while the survivor does is named on its last advert", () => {
    const made = takeover({ lastAdvert: 3_500 });
    expect(moment(failoverOf(made.evidence, made.packets), "last-advert", "br0").detail).toContain("750 ms after the first of fw-2: both were master");
    expect(moment(whole, "last-advert", "br0").detail).not.toContain("both were master");
  });
});
