import { expect, test } from "vitest";
import { Frames } from "./frames.ts";
import { forward, ofFlow, readRecord, recordSize, reverse, writeRecord, type RecordHeader } from "./record.ts";

const header: RecordHeader = { session: 0xfedc_ba98, flow: 999, direction: reverse, purpose: ofFlow, seq: 123_456 };

function record(of: RecordHeader): Buffer {
  const bytes = Buffer.alloc(recordSize);
  writeRecord(bytes, 0, of);
  return bytes;
}

test("a record tells its header", () => {
  expect(readRecord(record(header), 0)).toEqual(header);
});

test("every flipped bit is seen", () => {
  for (let bit = 0; bit < recordSize * 8; bit += 1) {
    const bytes = record(header);
    bytes[bit >>> 3] = bytes.readUInt8(bit >>> 3) ^ (1 << (bit & 7));
    expect(readRecord(bytes, 0), `bit ${bit}`).toBeUndefined();
  }
});

test("records that differ in one number differ in their filler", () => {
  const others: RecordHeader[] = [
    { ...header, session: 1 },
    { ...header, flow: 998 },
    { ...header, direction: forward },
    { ...header, seq: 123_457 },
  ];
  for (const other of others) expect(record(other).subarray(20)).not.toEqual(record(header).subarray(20));
});

test("a stream is cut into records wherever its chunks end", () => {
  const seqs = Array.from({ length: 20 }, (_, seq) => seq);
  const stream = Buffer.concat(seqs.map((seq) => record({ ...header, seq })));
  for (const size of [1, 47, 48, 49, 500]) {
    const frames = new Frames();
    const got: (number | undefined)[] = [];
    for (let at = 0; at < stream.length; at += size) frames.push(stream.subarray(at, at + size), (bytes, offset) => got.push(readRecord(bytes, offset)?.seq));
    expect(got).toEqual(seqs);
    expect(frames.pendingBytes).toBe(0);
  }
});
