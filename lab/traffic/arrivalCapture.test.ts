import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import type { CommandResult, MachineShell } from "../machine/shell.ts";
import { parseArrivals, startArrivalCapture } from "./arrivalCapture.ts";

/** Recorded on omarine by tcpdump 4.99.3: one connection through the firewall, then forged segments and a SYN sent twice, the firewall opened on purpose. */
const recorded = readFileSync(new URL("recorded/arrivals.txt", import.meta.url), "utf8");
const forged = 0xdeadbeef;
/** Recorded on omarine by tcpdump 4.99.3, of its own connections to itself: a datagram, and a connection's opening, the answer to it, and data. */
const answered = readFileSync(new URL("recorded/arrivals-datagram.txt", import.meta.url), "utf8");

describe("what a capture saw", () => {
  test("forged segments are known by their sequence number, openings by port, a repeated SYN counts again", () => {
    const arrivals = parseArrivals(recorded, forged);
    expect([arrivals.forged, arrivals.openings(22), arrivals.openings(23), arrivals.openings(7)]).toEqual([3, 1, 2, 0]);
  });

  test("over IPv6 ports stand behind the last dot", () => {
    const arrivals = parseArrivals(readFileSync(new URL("recorded/arrivals-ipv6.txt", import.meta.url), "utf8"), 2_768_432_348);
    expect([arrivals.forged, arrivals.openings(22), arrivals.openings(7), arrivals.openings(23)]).toEqual([1, 1, 1, 0]);
  });

  test("datagrams are known by their port, and are no openings; nor is the answer to one", () => {
    const arrivals = parseArrivals(answered, forged);
    expect([arrivals.datagrams(7), arrivals.datagrams(22), arrivals.datagrams(57_800), arrivals.openings(22), arrivals.openings(7), arrivals.openings(57_800), arrivals.forged]).toEqual([1, 0, 0, 1, 0, 0, 0]);
  });

  test("nothing is not mistaken for something", () => {
    const arrivals = parseArrivals("\n", forged);
    expect([arrivals.forged, arrivals.openings(22)]).toEqual([0, 0]);
  });

  test("a line that is none of tcpdump's is no silence", () => {
    expect(() => parseArrivals(`${recorded}tcpdump: pcap_loop: truncated dump file\n`, forged)).toThrow(Failure);
  });
});

describe("a capture that dropped packets itself", () => {
  const answering = (last: string): MachineShell => {
    const run = (command: string): Promise<CommandResult> => Promise.resolve({ stdout: command.startsWith("tcpdump") ? "42\n" : last, stderr: "", exitCode: 0 });
    return { name: "omarine", address: "10.99.0.14", run, must: async (command) => (await run(command)).stdout };
  };
  const { signal } = new AbortController();
  const stopped = async (last: string) => (await startArrivalCapture(answering(last), { address: "192.168.1.3", ports: [22], sequence: forged, signal })).stop(signal);

  test("is no evidence", async () => {
    await expect(stopped(`2 packets dropped by kernel\n${recorded}`)).rejects.toThrow(/2 packets dropped/u);
    expect((await stopped(`0 packets dropped by kernel\n${recorded}`)).forged).toBe(3);
  });
});
