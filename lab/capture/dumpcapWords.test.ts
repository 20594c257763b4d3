import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lastWord, pointsInFile, readCounts } from "./dumpcapWords.ts";

const output = readFileSync(new URL("recorded/dumpcap.txt", import.meta.url), "utf8");
const interfaces = ["br0", "br1", "br2", "fw-1.eth0", "fw-1.eth1", "fw-1.eth2", "fw-2.eth0", "fw-2.eth1", "fw-2.eth2"];

test("dumpcap's counts of a whole run are read", () => {
  const { points, problem } = readCounts(output, interfaces);
  expect(problem).toBeUndefined();
  expect(points.map((point) => point.interface)).toEqual(interfaces);
  expect(points[0]).toEqual({ interface: "br0", packets: 24_924, dropped: 0, flushed: 0 });
  expect(points.at(-1)).toEqual({ interface: "fw-2.eth2", packets: 208, dropped: 0, flushed: 0 });
});

test.each(["pcap", "dumpcap", "ps_ifdrop"])("what is lost as %s is dropped", (where) => {
  const { points } = readCounts(output.replace(new RegExp(`(fw-1\\.eth1.*${where}:)0`, "u"), "$17"), interfaces);
  expect(points.filter(({ dropped }) => dropped > 0)).toEqual([{ interface: "fw-1.eth1", packets: 5_701, dropped: 7, flushed: 0 }]);
});

test("what was flushed at the end may be in the sum of what was received, and is no drop", () => {
  const flushed = output.replace(/(fw-1\.eth1.*flushed:)0/u, "$12");
  for (const written of [100_592, 100_593, 100_594]) {
    const { points, problem } = readCounts(flushed.replace("captured: 100594", `captured: ${written}`), interfaces);
    expect(problem).toBeUndefined();
    expect(points.filter((point) => point.flushed > 0)).toEqual([{ interface: "fw-1.eth1", packets: 5_701, dropped: 0, flushed: 2 }]);
  }
  expect(readCounts(flushed.replace("captured: 100594", "captured: 100591"), interfaces).problem).toBe("dumpcap wrote 100591 packets, and received 100594");
});

describe("what is in the file", () => {
  const counts = readCounts(output.replace(/(fw-2\.eth2.*flushed:)0/u, "$11").replace("captured: 100594", "captured: 100593"), interfaces);
  const file = (ofLast: number) => new Map(counts.points.map(({ interface: name, packets }) => [name, name === "fw-2.eth2" ? ofLast : packets]));
  const last = ({ points, problem }: ReturnType<typeof pointsInFile>) => ({ point: points.at(-1), problem });

  test("a packet that was flushed is not, and was none of the capture's when all before was written", () => {
    expect(last(pointsInFile(counts, file(207), true))).toEqual({ point: { interface: "fw-2.eth2", packets: 207, dropped: 0 }, problem: undefined });
    expect(pointsInFile(counts, file(207), true).points[0]).toEqual({ interface: "br0", packets: 24_924, dropped: 0 });
  });

  test("it is dropped when nobody knows what it was", () => {
    expect(last(pointsInFile(counts, file(207), false))).toEqual({ point: { interface: "fw-2.eth2", packets: 207, dropped: 1 }, problem: undefined });
  });

  test.each([206, 209])("%d packets of 208, of which one was flushed, are a problem", (ofLast) => {
    expect(last(pointsInFile(counts, file(ofLast), true)).problem).toBe(`dumpcap wrote ${ofLast} packets of fw-2.eth2, received 208 and flushed 1`);
  });

  test("where nothing was flushed it is what dumpcap counted", () => {
    expect(last(pointsInFile(readCounts(output, interfaces), undefined, true))).toEqual({ point: { interface: "fw-2.eth2", packets: 208, dropped: 0 }, problem: undefined });
  });
});

test("an interface without counts is a problem, and no point", () => {
  const { points, problem } = readCounts(output.replace(/^.*'br1'.*\n/mu, ""), interfaces);
  expect(points).toHaveLength(8);
  expect(problem).toBe("dumpcap told no counts of br1");
});

test.each([
  ["packets that were received and not written", output.replace("captured: 100594", "captured: 100593"), "dumpcap wrote 100593 packets, and received 100594"],
  ["no sum", output.replace(/^Packets captured.*\n/mu, ""), "dumpcap wrote an untold number of packets, and received 100594"],
])("%s: a problem", (_, text, problem) => {
  expect(readCounts(text, interfaces).problem).toBe(problem);
});

test("the last word is not the warning that every root gets", () => {
  expect(lastWord('dumpcap: There is no device named "br7".\nRunning as user "root" and group "root". This could be dangerous.\n')).toBe('dumpcap: There is no device named "br7".');
  expect(lastWord("Capturing on 9 interfaces\nFile: lab.pcapng\n")).toBe("it said nothing");
});
