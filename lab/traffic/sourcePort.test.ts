import { expect, test } from "vitest";
import { newEnd, parseLocalEnds } from "./sourcePort.ts";

// Recorded from iproute2-6.1.0 (Debian 12): ss -Htn state established dst 127.0.0.1:7099
const recorded = "0      0      127.0.0.1:58500 127.0.0.1:7099\n0      0      127.0.0.1:58516 127.0.0.1:7099\n";

test("local ends of connections", () => {
  expect(parseLocalEnds(recorded)).toEqual([
    { address: "127.0.0.1", port: 58_500 },
    { address: "127.0.0.1", port: 58_516 },
  ]);
  expect(parseLocalEnds("")).toEqual([]);
});

test("the one that is new", () => {
  const [first, second] = parseLocalEnds(recorded);
  if (first === undefined || second === undefined) throw new RangeError("two ends were recorded");
  expect(newEnd([first], [first, second], "client")).toEqual(second);
  expect(() => newEnd([first], [first], "client")).toThrow(/0 new connections/u);
  expect(() => newEnd([], [first, second], "client")).toThrow(/2 new connections/u);
});
