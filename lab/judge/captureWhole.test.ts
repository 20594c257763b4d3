import { describe, expect, test } from "vitest";
import type { Capture } from "../evidence/capture.ts";
import { evidenceSchema, type Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { capturePoints } from "../topology/topology.ts";
import { captureWhole } from "./captureWhole.ts";
import { healthyRun, story } from "./healthyRun.ts";
import { judge } from "./judge.ts";

const packet: Packet = {
  ...{ atMs: story.startMs, point: "br1", sourceMac: "52:54:00:f1:02:01", destinationMac: "01:00:5e:00:00:12" },
  body: { kind: "vrrp", sourceAddress: "192.168.0.1", destinationAddress: "224.0.0.18", ipId: 1, routerId: 11, priority: 150 },
};

function wholeCapture(): Capture {
  const points = capturePoints(primaryBackup).map((name, index) => ({ interface: name, packets: 1_000 + index, dropped: 0 }));
  return { file: "captures/lab.pcapng.gz", snapLength: 144, startedAtMs: story.startMs - 100, stoppedAtMs: story.endMs + 500, points };
}

function captured(change: (capture: Capture) => unknown = () => undefined): Evidence & { capture: Capture } {
  const capture = wholeCapture();
  change(capture);
  return evidenceSchema.parse({ ...healthyRun(), capture }) as Evidence & { capture: Capture };
}

const checkOf = (evidence: Evidence, packets: readonly Packet[] | undefined) => judge(evidence, { packets }).checks.find(({ id }) => id === "capture-whole");

test("a whole capture passes, in figures", () => {
  expect(captureWhole(captured(), primaryBackup, [packet])).toMatchObject({
    ...{ id: "capture-whole", phase: "run", verdict: "pass", evidence: ["captures/lab.pcapng.gz"] },
    measured: expect.stringMatching(/^9036 packets at 9 points, 0 dropped; from 10100 ms before the first fault to \d+ ms after the last look$/u) as string,
  });
});

describe("a capture that is not whole makes the run invalid, whatever else holds", () => {
  const packets = [packet];
  const cases: readonly [name: string, change: (capture: Capture) => unknown, packets: readonly Packet[] | undefined, why: RegExp][] = [
    ["one packet dropped at one point", ({ points }) => Object.assign(points[4] ?? {}, { dropped: 1 }), packets, /1 packets are lost, of fw-1\.eth1$/u],
    ["it ended by itself", (capture) => (capture.problem = "dumpcap ended before it was stopped"), packets, /dumpcap ended before it was stopped$/u],
    ["a point is missing", ({ points }) => points.splice(1, 1), packets, /not captured: br1$/u],
    ["no point at all", ({ points }) => points.splice(0), packets, /not captured: br0, br1, br2 and 6 more$/u],
    ["it began after the fault", (capture) => (capture.startedAtMs = story.failoverMs + 1), packets, /it began 1 ms after the first fault$/u],
    ["it ended before the last look", (capture) => (capture.stoppedAtMs = story.failbackMs), packets, /it ended \d+ ms before the last look$/u],
    ["nothing was decoded", () => undefined, [], /no packet could be decoded from it$/u],
    ["it was not decoded", () => undefined, undefined, /its packets were not decoded$/u],
  ];
  test.each(cases)("%s", (_, change, decoded, why) => {
    const evidence = captured(change);
    expect(checkOf(evidence, decoded)).toMatchObject({ verdict: "invalid", explanation: expect.stringMatching(why) as string });
    expect(judge(evidence, { packets: decoded }).verdict).toBe("invalid");
  });
});

describe("the check is not made where nothing rests on packets", () => {
  test.each([
    ["no capture was wanted", { ...healthyRun(), capture: "off" as const }],
    ["old evidence", healthyRun()],
    ["the run was interrupted before its packets were decoded", { ...captured(), interrupted: "Ctrl-C" }],
  ])("%s", (_, evidence) => {
    expect(checkOf(evidence, undefined)).toBeUndefined();
  });

  test("the control: interrupted, and decoded", () => {
    expect(checkOf({ ...captured(), interrupted: "Ctrl-C" }, [packet])).toMatchObject({ verdict: "pass" });
  });
});
