import { describe, expect, test } from "vitest";
import { tcpFlag, type TcpBody, type UdpBody } from "../evidence/packet.ts";
import { holdLimitMs, leavingTimes, type FlowPacket } from "./matching.ts";

const ends = { sourceAddress: "192.168.0.3", destinationAddress: "192.168.1.3", sourcePort: 20_000, destinationPort: 7 };

function at(atMs: number, body: TcpBody | UdpBody): FlowPacket {
  return { packet: { atMs, point: "fw-2.eth1", sourceMac: "", destinationMac: "", body }, body };
}

function data(atMs: number, seq: number, payloadBytes: number, ipId: number): FlowPacket {
  return at(atMs, { kind: "tcp", ...ends, ipId, seq: seq >>> 0, ack: 1, flags: tcpFlag.ack, payloadBytes });
}

function bare(atMs: number, ack: number, ipId: number, flags: number = tcpFlag.ack): FlowPacket {
  return at(atMs, { kind: "tcp", ...ends, ipId, seq: 1, ack, flags, payloadBytes: 0 });
}

function datagram(atMs: number, seq: number, ipId: number): FlowPacket {
  return at(atMs, { kind: "udp", ...ends, ipId, payloadBytes: 48, record: { direction: "forward", seq, probe: false } });
}

test("datagrams, bare segments and data are found by what a router leaves as it is", () => {
  expect(leavingTimes([datagram(0, 1, 7), bare(1, 49, 8), data(2, 100, 48, 9)], [datagram(5, 1, 7), bare(6, 49, 8), data(7, 100, 48, 9)])).toEqual([5, 6, 7]);
});

test.each([
  ["another record", datagram(0, 1, 7), datagram(1, 2, 7)],
  ["the same record in another datagram", datagram(0, 1, 7), datagram(1, 1, 8)],
  ["another acknowledgement", bare(0, 49, 7), bare(1, 97, 7)],
  ["other flags", bare(0, 49, 7), bare(1, 49, 7, tcpFlag.ack | tcpFlag.fin)],
  ["the same acknowledgement in another segment", bare(0, 49, 7), bare(1, 49, 8)],
  ["a part of the bytes", data(0, 100, 48, 7), data(1, 100, 47, 7)],
  ["other bytes", data(0, 100, 48, 7), data(1, 148, 48, 7)],
  ["what left before", data(1, 100, 48, 7), data(0, 100, 48, 7)],
])("%s is not the packet", (_, entered, left) => {
  expect(leavingTimes([entered], [left])).toEqual([undefined]);
});

describe("over IPv6, which has no identification", () => {
  const over6 = (atMs: number, seq: number, payloadBytes: number, timestamp?: number): FlowPacket =>
    at(atMs, { kind: "tcp", ...ends, ipId: undefined, seq, ack: 1, flags: tcpFlag.ack, payloadBytes, ...(timestamp !== undefined && { timestamp }) });

  test("a retransmission that passed does not stand for the segment that did not: TCP's timestamp tells them apart", () => {
    expect(leavingTimes([over6(0, 100, 48, 500), over6(300, 100, 48, 800)], [over6(301, 100, 48, 800)])).toEqual([undefined, 301]);
    expect(leavingTimes([over6(0, 100, 0, 500), over6(300, 100, 0, 800)], [over6(1, 100, 0, 500)])).toEqual([1, undefined]);
  });

  test("without timestamps as many are found as came out", () => {
    const times = leavingTimes([over6(0, 100, 48), over6(300, 100, 48)], [over6(301, 100, 48)]);
    expect(times.filter((time) => time !== undefined)).toEqual([301]);
  });

  test("datagrams are found by their record's number", () => {
    const datagram6 = (atMs: number, seq: number): FlowPacket => at(atMs, { kind: "udp", ...ends, ipId: undefined, payloadBytes: 48, record: { direction: "forward", seq, probe: false } });
    expect(leavingTimes([datagram6(0, 1), datagram6(1, 2), datagram6(2, 3)], [datagram6(3, 1), datagram6(4, 3)])).toEqual([3, undefined, 4]);
  });
});

describe("merged and split segments", () => {
  test("two merged into one", () => {
    expect(leavingTimes([data(0, 100, 48, 7), data(0.1, 148, 48, 8)], [data(1, 100, 96, 7)])).toEqual([1, 1]);
  });

  test("one split in two: it is out when the last byte is", () => {
    expect(leavingTimes([data(0, 100, 96, 7)], [data(1, 100, 48, 7), data(2, 148, 48, 8)])).toEqual([2]);
    expect(leavingTimes([data(0, 100, 96, 7)], [data(1, 100, 48, 7), data(2, 149, 48, 8)])).toEqual([undefined]);
  });

  test("cut at other places, with one lost between: the lost one alone is missed", () => {
    const entered = [data(0, 0, 100, 1), data(0.1, 100, 100, 2), data(0.2, 200, 100, 3), data(0.3, 300, 100, 4)];
    expect(leavingTimes(entered, [data(1, 0, 150, 1), data(1.1, 150, 50, 2), data(1.2, 300, 100, 4)])).toEqual([1, 1.1, undefined, 1.2]);
  });

  test("across the wrap of sequence numbers", () => {
    const wrap = 2 ** 32;
    const entered = [data(0, wrap - 96, 48, 1), data(0.1, wrap - 48, 48, 2), data(0.2, 0, 48, 3), data(0.3, 48, 48, 4)];
    expect(leavingTimes(entered, [data(1, wrap - 96, 144, 1), data(1.1, 48, 48, 4)])).toEqual([1, 1, 1, 1.1]);
    expect(leavingTimes(entered, [data(1, wrap - 96, 96, 1), data(1.1, 48, 48, 4)])).toEqual([1, 1, undefined, 1.1]);
  });
});

describe("a retransmission", () => {
  test("that passed does not stand for the first, which did not", () => {
    expect(leavingTimes([data(0, 100, 48, 7), data(200, 100, 48, 8)], [data(201, 100, 48, 8)])).toEqual([undefined, 201]);
  });

  test("that was merged on its way does not either", () => {
    const entered = [data(0, 100, 48, 7), data(0.1, 148, 48, 8), data(200, 100, 48, 9), data(200.1, 148, 48, 10)];
    expect(leavingTimes(entered, [data(201, 100, 96, 9)])).toEqual([undefined, undefined, 201, 201]);
  });

  test("that was lost does not take the place of the first, which passed", () => {
    expect(leavingTimes([data(0, 100, 48, 7), data(0.1, 148, 48, 8), data(200, 100, 96, 9)], [data(1, 100, 96, 7)])).toEqual([1, 1, undefined]);
  });

  test("passes as often as it went in: the control", () => {
    expect(leavingTimes([data(0, 100, 48, 7), data(200, 100, 48, 8)], [data(1, 100, 48, 7), data(201, 100, 48, 8)])).toEqual([1, 201]);
  });
});

test("packets without an identification of their own are counted", () => {
  expect(leavingTimes([bare(0, 49, 0), bare(10, 49, 0), bare(20, 49, 0)], [bare(1, 49, 0), bare(21, 49, 0)])).toEqual([1, 21, undefined]);
});

test("what comes out late is found, so that it can be called late; each byte is still claimed once", () => {
  const late = holdLimitMs + 1;
  expect(leavingTimes([datagram(0, 1, 7)], [datagram(late, 1, 7)])).toEqual([late]);
  expect(leavingTimes([data(0, 100, 48, 7), data(0.1, 148, 48, 8)], [data(late, 100, 96, 7)])).toEqual([late, late]);
  expect(leavingTimes([data(0, 100, 48, 7), data(late - 1, 100, 48, 8)], [data(late, 100, 48, 8)])).toEqual([undefined, late]);
  expect(leavingTimes([data(0, 100, 48, 7), data(late - 1, 100, 24, 8), data(late - 1, 124, 24, 9)], [data(late, 100, 48, 8)])).toEqual([undefined, late, late]);
});
