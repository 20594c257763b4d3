import { describe, expect, test } from "vitest";
import { forgedSegment, internetChecksum } from "./forgedSegment.ts";

describe("internetChecksum", () => {
  test("gives RFC 1071's own example", () => {
    expect(internetChecksum(Buffer.from([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]))).toBe(0xffff - 0xddf2);
  });

  test("pads an odd byte with zero", () => {
    expect(internetChecksum(Buffer.from([0x12]))).toBe(internetChecksum(Buffer.from([0x12, 0x00])));
  });
});

describe("forgedSegment", () => {
  const segment = {
    source: "192.168.0.3",
    destination: "192.168.1.3",
    sourcePort: 40_000,
    destinationPort: 7,
    sequence: 0xdeadbeef,
    acknowledgement: 1,
    payload: Buffer.from("forged!"),
  };

  test("sums to nothing together with its pseudo header, as a receiver checks it", () => {
    const tcp = forgedSegment(segment);
    const pseudoHeader = Buffer.from([192, 168, 0, 3, 192, 168, 1, 3, 0, 6, 0, tcp.length]);
    expect(internetChecksum(Buffer.concat([pseudoHeader, tcp]))).toBe(0);
  });

  test("has ACK and PSH, not SYN, and the ports and sequence number asked for", () => {
    const tcp = forgedSegment(segment);
    expect([tcp.readUInt16BE(0), tcp.readUInt16BE(2), tcp.readUInt32BE(4), tcp.readUInt8(13)]).toEqual([40_000, 7, 0xdeadbeef, 0x18]);
  });

  test("over IPv6, too, sums to nothing together with its pseudo header (RFC 8200, 8.1)", () => {
    const tcp = forgedSegment({ ...segment, source: "2001:db8:168::3", destination: "2001:db8:168:1::3" });
    const addresses = Buffer.from("20010db8016800000000000000000003" + "20010db8016800010000000000000003", "hex");
    expect(internetChecksum(Buffer.concat([addresses, Buffer.from([0, 0, 0, tcp.length, 0, 0, 0, 6]), tcp]))).toBe(0);
  });

  test.each([["fe80::1"], ["omarine"], ["192.168.0"]])("refuses %s as a source to IPv4", (source) => {
    expect(() => forgedSegment({ ...segment, source })).toThrow(RangeError);
  });
});
