import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseDirector } from "./director.ts";

const recorded = readFileSync(new URL("recorded/ipvs.txt", import.meta.url), "utf8");

test("how a director chooses, and what it gave to whom, as recorded", () => {
  expect(parseDirector(recorded)).toEqual({
    scheduler: "rr",
    servers: [
      { address: "10.162.0.101", connections: 20, inPackets: 86, inBytes: 6_360 },
      { address: "10.162.0.102", connections: 20, inPackets: 86, inBytes: 6_360 },
    ],
  });
});

test.each([
  ["no service", recorded.replace(/^-.*\n/gmu, "")],
  ["no real server", recorded.replace(/^ {2}-> 10.*\n/gmu, "")],
  ["counters that are rounded", recorded.replace("6360        0", "6.2K        0")],
  ["nothing", ""],
])("%s is no answer", (_, text) => {
  expect(() => parseDirector(text)).toThrow(/director's statistics/u);
});
