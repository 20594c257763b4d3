import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lastWord, readCounts } from "./dumpcapWords.ts";

const output = readFileSync(new URL("recorded/dumpcap.txt", import.meta.url), "utf8");
const interfaces = ["br0", "br1", "br2", "fw-1.eth0", "fw-1.eth1", "fw-1.eth2", "fw-2.eth0", "fw-2.eth1", "fw-2.eth2"];

test("dumpcap's counts of a whole run are read", () => {
  const { points, problem } = readCounts(output, interfaces);
  expect(problem).toBeUndefined();
  expect(points.map((point) => point.interface)).toEqual(interfaces);
  expect(points[0]).toEqual({ interface: "br0", packets: 24_924, dropped: 0 });
  expect(points.at(-1)).toEqual({ interface: "fw-2.eth2", packets: 208, dropped: 0 });
});

test.each(["pcap", "dumpcap", "flushed", "ps_ifdrop"])("what is lost as %s is dropped", (where) => {
  const { points } = readCounts(output.replace(new RegExp(`(fw-1\\.eth1.*${where}:)0`, "u"), "$17"), interfaces);
  expect(points.filter(({ dropped }) => dropped > 0)).toEqual([{ interface: "fw-1.eth1", packets: 5_701, dropped: 7 }]);
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
