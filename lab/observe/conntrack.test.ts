import { describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { parseCache, parseConntrack } from "./conntrack.ts";
import { parseConntrackStats } from "./conntrackStats.ts";
import { recorded } from "./recorded.ts";

const lines = (text: string) => text.split("\n").filter((line) => line !== "").length;

describe("conntrack -L", () => {
  const entries = parseConntrack(recorded("conntrack"));
  const from = (port: number) => entries.find((entry) => entry.original.sourcePort === port);

  test("every line becomes an entry", () => {
    expect(entries).toHaveLength(lines(recorded("conntrack")));
  });

  test("an established TCP connection with SNAT", () => {
    expect(from(40001)).toEqual({
      protocol: "tcp",
      state: "ESTABLISHED",
      timeoutSeconds: 431_999,
      original: { source: "192.168.0.3", destination: "192.168.1.3", sourcePort: 40001, destinationPort: 7 },
      reply: { source: "192.168.1.3", destination: "192.168.1.100", sourcePort: 7, destinationPort: 40001 },
      flags: ["ASSURED"],
      mark: 0,
    });
  });

  test("UDP without answer, with mark and zone, offloaded TCP, IPv6, ICMP and protocols without a name", () => {
    expect(from(41003)).toMatchObject({ protocol: "udp", timeoutSeconds: 29, flags: ["UNREPLIED"] });
    expect(from(41003)).not.toHaveProperty("state");
    expect(from(41002)).toMatchObject({ mark: 5, flags: ["ASSURED"] });
    expect(from(40004)).toMatchObject({ protocol: "tcp", flags: ["OFFLOAD"] });
    expect(from(40004)).not.toHaveProperty("timeoutSeconds");
    expect(from(40005)).toMatchObject({ original: { source: "fd00::3", destination: "fd01::3" }, reply: { source: "fd01::3" } });
    expect(entries.find((entry) => entry.protocol === "icmp")).toMatchObject({ original: { source: "192.168.0.3" }, flags: [] });
    expect(entries.find((entry) => entry.protocol === "icmpv6")).toBeDefined();
    expect(entries.find((entry) => entry.protocol === "unknown-253")).toMatchObject({ timeoutSeconds: 597 });
  });

  test("over IPv6 with NAT66, in the table and in both caches, every line, with the same tuples", () => {
    const table = parseConntrack(recorded("conntrack-ipv6"));
    expect(table).toHaveLength(lines(recorded("conntrack-ipv6")));
    const tuple = { source: "2001:db8:168::3", destination: "2001:db8:168:1::3", sourcePort: 57388, destinationPort: 7 };
    const reply = { source: "2001:db8:168:1::3", destination: "2001:db8:168:1::100", sourcePort: 7, destinationPort: 48414 };
    const internal = parseCache(recorded("internalCache-ipv6"));
    const external = parseCache(recorded("externalCache-ipv6"));
    for (const entries of [table, internal]) expect(entries.find(({ original }) => original.sourcePort === 57388)).toMatchObject({ original: tuple, reply, state: "ESTABLISHED" });
    expect(external.find(({ original }) => original.sourcePort === 57388)).toMatchObject({ original: tuple, flags: ["ASSURED"] });
    expect([internal.length, external.length]).toEqual([13, 13]);
  });

  test("-o extended tells the same entries", () => {
    expect(parseConntrack(recorded("conntrack-extended"))).toHaveLength(lines(recorded("conntrack-extended")));
  });

  test("an empty table is empty", () => {
    expect(parseConntrack("\n")).toEqual([]);
  });

  test.each([
    ["an error message", "conntrack v1.4.7 (conntrack-tools): Operation failed: such file or directory"],
    ["a line cut short", "tcp      6 431999 ESTABLISHED src=192.168.0.3 dst=192.168.1.3 sport=400"],
    ["one tuple only", "tcp      6 431999 ESTABLISHED src=192.168.0.3 dst=192.168.1.3 sport=40001 dport=7 [ASSURED] mark=0 use=1"],
    ["an address that is none", "tcp      6 1 CLOSE src=192.168.0.300 dst=192.168.1.3 sport=1 dport=7 src=192.168.1.3 dst=192.168.1.100 sport=7 dport=1 mark=0 use=1"],
    ["a port that is none", "tcp      6 1 CLOSE src=192.168.0.3 dst=192.168.1.3 sport=x dport=7 src=192.168.1.3 dst=192.168.1.100 sport=7 dport=1 mark=0 use=1"],
    ["a word that nobody knows", "tcp      6 1 CLOSE src=192.168.0.3 dst=192.168.1.3 sport=1 dport=7 src=192.168.1.3 dst=192.168.1.100 sport=7 dport=1 wobble use=1"],
  ])("%s is an error, even among good lines", (_, line) => {
    expect(() => parseConntrack(`${recorded("conntrack")}${line}\n`)).toThrow(Failure);
  });
});

describe("conntrackd's caches", () => {
  test("the internal cache has both tuples and no timeouts", () => {
    const entries = parseCache(recorded("internalCache"));
    expect(entries).toHaveLength(13);
    const flow = entries.find((entry) => entry.original.sourcePort === 40003);
    expect(flow).toMatchObject({ state: "ESTABLISHED", flags: ["ASSURED"], reply: { destination: "192.168.1.100" } });
    expect(flow).not.toHaveProperty("timeoutSeconds");
  });

  test("the external cache has original tuples only", () => {
    const entries = parseCache(recorded("externalCache"));
    expect(entries).toHaveLength(13);
    expect(entries.find((entry) => entry.original.sourcePort === 40003)).toEqual({
      protocol: "tcp",
      state: "ESTABLISHED",
      original: { source: "192.168.0.3", destination: "192.168.1.3", sourcePort: 40003, destinationPort: 22 },
      flags: ["ASSURED"],
    });
    expect(entries.find((entry) => entry.original.sourcePort === 41002)).toMatchObject({ mark: 5 });
  });

  // As conntrackd 1.4.7 prints it in the mode ALARM.
  test("an entry of a cache that forgets says when, and is one", () => {
    const [entry] = parseCache("tcp      6 ESTABLISHED src=192.168.0.3 dst=192.168.1.3 sport=36490 dport=7 [ASSURED] [expires in 58s] [active since 5s]\n");
    expect(entry).toMatchObject({ state: "ESTABLISHED", original: { sourcePort: 36490 }, flags: ["ASSURED"] });
  });

  test("conntrackd's complaint is no cache", () => {
    expect(() => parseCache(recorded("conntrackd-not-running.stderr"))).toThrow(Failure);
  });
});

describe("conntrack -S", () => {
  test("one processor", () => {
    expect(parseConntrackStats(recorded("conntrackStats"))).toMatchObject({ invalid: 10, insert_failed: 0, drop: 0, early_drop: 0 });
  });

  test("is summed over processors", () => {
    expect(parseConntrackStats(recorded("conntrackStats") + recorded("conntrackStats").replace("cpu=0", "cpu=1"))).toMatchObject({ invalid: 20 });
  });

  test.each(["", "cpu=0\n", "cpu=0 invalid=x\n", "invalid=1\n"])("%j is an error", (text) => {
    expect(() => parseConntrackStats(text)).toThrow(Failure);
  });
});
