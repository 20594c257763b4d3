import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tcpFlag, type Packet } from "../evidence/packet.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import { countFrames } from "./countFrames.ts";
import { decodeCapture } from "./decode.ts";
import { RowReader, tsharkArguments } from "./tsharkFields.ts";

const recorded = (name: string) => fileURLToPath(new URL(`recorded/${name}`, import.meta.url));
const takeover = recorded("takeover.pcapng");
const never = new AbortController().signal;
type Body<K extends Packet["body"]["kind"]> = Extract<Packet["body"], { kind: K }>;
const bodies = <K extends Packet["body"]["kind"]>(packets: readonly Packet[], kind: K) => packets.map(({ body }) => body).filter((body): body is Body<K> => body.kind === kind);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-decode-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a capture of these bytes fails with. */
async function failureOf(bytes: Uint8Array): Promise<Failure> {
  const file = join(folder, "some.pcapng");
  await writeFile(file, bytes);
  return decodeCapture(file, never).then(
    () => expect.fail("it was decoded"),
    (thrown: unknown) => (thrown instanceof Failure ? thrown : expect.fail(String(thrown))),
  );
}

describe("451 frames of a failover, after fw-2 has taken over", async () => {
  const { packets, frames } = await decodeCapture(takeover, never);

  test("counted without tshark they are as many", async () => {
    expect(await countFrames(takeover, never)).toEqual(frames);
  });

  test("every frame is there, by its point", () => {
    expect(Object.fromEntries(frames)).toEqual({ br0: 81, br1: 97, "fw-2.eth0": 90, "fw-2.eth1": 183 });
    const of = (kind: Packet["body"]["kind"]) => bodies(packets, kind).length;
    expect({ tcp: of("tcp"), udp: of("udp"), vrrp: of("vrrp"), arp: of("arp") }).toEqual({ tcp: 367, udp: 66, vrrp: 3, arp: 15 });
    expect(packets).toHaveLength(451);
  });

  test("packets are in the order of their times, which the file does not have", () => {
    expect(packets.every(({ atMs }, index) => index === 0 || atMs >= (packets[index - 1]?.atMs ?? 0))).toBe(true);
  });

  test("gratuitous ARP of the survivor, to the microsecond", () => {
    expect(packets.find(({ body, point }) => body.kind === "arp" && point === "fw-2.eth1")).toEqual({
      atMs: 1795212387371.953,
      point: "fw-2.eth1",
      sourceMac: "52:54:00:f1:03:01",
      destinationMac: "ff:ff:ff:ff:ff:ff",
      body: { kind: "arp", operation: "request", senderMac: "52:54:00:f1:03:01", senderAddress: "192.168.0.100", targetAddress: "192.168.0.100" },
    });
  });

  test("an advert of the survivor's", () => {
    expect(bodies(packets, "vrrp")[0]).toMatchObject({ sourceAddress: "192.168.0.2", destinationAddress: "224.0.0.18", routerId: 11, priority: 100 });
  });

  test("TCP with the numbers of the wire, UDP with our own record's", () => {
    expect(bodies(packets, "tcp")[0]).toEqual({
      ...{ kind: "tcp", sourceAddress: "192.168.0.3", destinationAddress: "192.168.1.3", ipId: 13_702, sourcePort: 42_756, destinationPort: 7 },
      ...{ seq: 256_833_321, ack: 1_887_489_446, flags: tcpFlag.psh | tcpFlag.ack, payloadBytes: 48 },
    });
    expect(bodies(packets, "udp").every(({ record, payloadBytes }) => record !== undefined && payloadBytes === 48)).toBe(true);
    expect(bodies(packets, "udp")[0]).toEqual({
      ...{ kind: "udp", sourceAddress: "192.168.1.3", destinationAddress: "192.168.0.3", ipId: 6_244, sourcePort: 7, destinationPort: 54_600 },
      ...{ payloadBytes: 48, record: { direction: "reverse", seq: 143, probe: false } },
    });
  });

  test("packed, it is the same", async () => {
    const file = join(folder, "packed.pcapng.gz");
    await writeFile(file, gzipSync(await readFile(takeover)));
    expect((await decodeCapture(file, never)).packets).toEqual(packets);
  });

  test("a record with one wrong bit is none of ours", async () => {
    const bytes = await readFile(takeover);
    const start = Buffer.from("66776c31", "hex");
    for (let at = bytes.indexOf(start); at !== -1; at = bytes.indexOf(start, at + 1)) bytes.writeUInt8(bytes.readUInt8(at + 47) ^ 1, at + 47);
    const file = join(folder, "bit.pcapng");
    await writeFile(file, bytes);
    const changed = (await decodeCapture(file, never)).packets;
    expect(bodies(changed, "udp").filter(({ record }) => record === undefined)).toHaveLength(66);
  });
});

describe("328 frames of a failover over IPv6, around the announcement", async () => {
  const { packets } = await decodeCapture(recorded("announced-ipv6.pcapng"), never);

  test("every frame is there but those of the protocols above", () => {
    const of = (kind: Packet["body"]["kind"]) => bodies(packets, kind).length;
    expect({ tcp: of("tcp"), udp: of("udp"), vrrp: of("vrrp"), icmp: of("icmp"), advertisement: of("advertisement") }).toEqual({ tcp: 202, udp: 26, vrrp: 4, icmp: 4, advertisement: 8 });
  });

  test("the survivor's own announcement to all nodes, as its notify script sent it, then answers to its solicitations", () => {
    const said = packets.filter(({ body, point }) => body.kind === "advertisement" && point === "br1");
    expect(said.map(({ body }) => body)).toEqual([
      { kind: "advertisement", targetMac: "52:54:00:f1:03:01", targetAddress: "2001:db8:168::100", solicited: false },
      { kind: "advertisement", targetMac: "52:54:00:f1:01:00", targetAddress: "2001:db8:168::3", solicited: true },
    ]);
    expect(said[0]).toMatchObject({ destinationMac: "33:33:00:00:00:01", sourceMac: "52:54:00:f1:03:01" });
  });

  test("adverts come from a link-local address", () => {
    expect(bodies(packets, "vrrp")[0]).toMatchObject({ sourceAddress: "fe80::5054:ff:fef1:301", destinationAddress: "ff02::12", routerId: 11, priority: 100, ipId: undefined });
  });

  test("what IPv6 has no number for, TCP's timestamp tells: the same on both sides of NAT66, another for each of a segment's copies", () => {
    const segment = bodies(packets, "tcp").find(({ payloadBytes, sourceAddress }) => payloadBytes > 0 && sourceAddress === "2001:db8:168::3");
    const copies = packets.filter(({ body }) => body.kind === "tcp" && body.seq === segment?.seq && body.payloadBytes === segment.payloadBytes && body.timestamp === segment.timestamp);
    expect(new Set(copies.map(({ point }) => point))).toEqual(new Set(["br1", "fw-2.eth1", "fw-2.eth0", "br0"]));
    expect(bodies(packets, "tcp").every(({ ipId, timestamp }) => ipId === undefined && timestamp !== undefined)).toBe(true);
    expect(bodies(packets, "udp").filter(({ record }) => record !== undefined).length).toBe(24);
  });

  test("an advertisement without the option leads to the frame's own MAC; one without a target is refused", () => {
    const cells = (changes: Readonly<Record<number, string>>) =>
      Array.from({ length: 36 }, (_, column) => ({ 0: "1.000000000", 1: "br0", 2: "eth:ethertype:ipv6:icmpv6", 3: "52:54:00:f1:01:00", 4: "33:33:00:00:00:01", 9: "fe80::1", 10: "ff02::1", 25: "136", 26: "0", ...changes })[column] ?? "").join("\t");
    const columns = tsharkArguments.filter((_, index) => tsharkArguments[index - 1] === "-e");
    const [target, flag] = [columns.indexOf("icmpv6.nd.na.target_address"), columns.indexOf("icmpv6.nd.na.flag.s")];
    expect(columns[25]).toBe("icmpv6.type");
    expect(new RowReader().read(cells({ [target]: "fe80::1", [flag]: "1" })).packet?.body).toEqual({ kind: "advertisement", targetMac: "52:54:00:f1:01:00", targetAddress: "fe80::1", solicited: true });
    expect(() => new RowReader().read(cells({ [flag]: "1" }))).toThrow(/no icmpv6\.nd\.na\.target_address/u);
  });
});

test("where data is only counted, all else is decoded, and nowhere else is anything left out", async () => {
  const whole = await decodeCapture(takeover, never);
  const bridges = new Set(["br0", "br1"]);
  const isData = ({ body: { kind } }: Packet) => kind === "tcp" || kind === "udp";
  for (const file of [takeover, recorded("refused.pcapng")]) {
    const all = await decodeCapture(file, never);
    const left = await decodeCapture(file, never, { countDataAt: [...bridges, "lo"] });
    expect(left.frames).toEqual(all.frames);
    expect(left.packets).toEqual(all.packets.filter((packet) => !(isData(packet) && (bridges.has(packet.point) || packet.point === "lo"))));
    expect(left.packets.length).toBeLessThan(all.packets.length);
  }
  expect(whole.packets.filter((packet) => isData(packet) && bridges.has(packet.point)).length).toBeGreaterThan(100);
});

test("a capture that several tsharks share is read as by one", async () => {
  const whole = await readFile(takeover);
  const once = await decodeCapture(takeover, never);
  const file = join(folder, "long.pcapng");
  // 40 sections, each with its own interfaces: 18,040 packets.
  await writeFile(file, Buffer.concat(Array.from({ length: 40 }, () => whole)));
  const { packets, frames } = await decodeCapture(file, never);
  const inWords = (some: readonly Packet[]) => some.map((packet) => JSON.stringify(packet)).sort();
  expect(inWords(packets)).toEqual(inWords(once.packets.flatMap((packet) => Array.from({ length: 40 }, () => packet))));
  expect(packets.every(({ atMs }, index) => index === 0 || atMs >= (packets[index - 1]?.atMs ?? 0))).toBe(true);
  expect(frames.get("fw-2.eth1")).toBe(40 * 183);
});

test("what a closed port answers, on IPv4 and IPv6, with and without a VLAN tag", async () => {
  const { packets, frames } = await decodeCapture(recorded("refused.pcapng"), never);
  expect(Object.fromEntries(frames)).toEqual({ lo: 8, t0: 8 });
  expect(bodies(packets, "icmp").filter(({ about }) => about !== undefined)).toEqual([
    { kind: "icmp", sourceAddress: "127.0.0.1", destinationAddress: "127.0.0.1", ipId: expect.any(Number) as number, type: 3, code: 3, about: { protocol: 17, sourceAddress: "127.0.0.1", destinationAddress: "127.0.0.1", sourcePort: 40_000, destinationPort: 9 } },
    { kind: "icmp", sourceAddress: "::1", destinationAddress: "::1", ipId: undefined, type: 1, code: 4, about: { protocol: 17, sourceAddress: "::1", destinationAddress: "::1", sourcePort: 40_000, destinationPort: 9 } },
  ]);
  const tapped = packets.filter(({ point, body }) => point === "t0" && body.kind === "tcp").map(({ body }) => body);
  expect(tapped).toHaveLength(2);
  expect(tapped[0]).toEqual(tapped[1]);
  expect(tapped[0]).toEqual({ kind: "tcp", sourceAddress: "192.0.2.2", destinationAddress: "192.0.2.1", ipId: 0x1234, sourcePort: 40_002, destinationPort: 7, seq: 4_000_000_001, ack: 0, flags: 2, payloadBytes: 0 });
  expect(bodies(packets, "udp").map(({ record, payloadBytes }) => ({ record, payloadBytes }))).toEqual([
    { record: undefined, payloadBytes: 5 },
    { record: undefined, payloadBytes: 5 },
  ]);
});

describe("what cannot be read is one line and exit 2", () => {
  test("no such file", async () => {
    await expect(decodeCapture(join(folder, "absent"), never)).rejects.toMatchObject({ exit: exitCode.usage, seen: expect.stringContaining("ENOENT") as string });
  });

  test.each([
    ["nothing", Buffer.alloc(0), "it is empty"],
    ["one byte", Buffer.from("x"), "it is no pcapng file"],
    ["something else", Buffer.from("a capture in name only"), "it is no pcapng file"],
    ["gzip of something else", gzipSync(Buffer.from("a capture in name only")), "it is no pcapng file"],
  ])("%s", async (_, bytes, seen) => {
    expect(await failureOf(bytes)).toMatchObject({ exit: exitCode.usage, seen });
  });

  test("cut in the middle of a packet", async () => {
    expect(await failureOf((await readFile(takeover)).subarray(0, 20_000))).toMatchObject({ exit: exitCode.usage, seen: expect.stringMatching(/^it is cut in the middle of a packet/u) as string });
  });

  test("cut in the middle of its packing", async () => {
    expect(await failureOf(gzipSync(await readFile(takeover)).subarray(0, 3_000))).toMatchObject({ exit: exitCode.usage, seen: expect.stringContaining("cut short") as string });
  });

  test("damaged inside", async () => {
    const bytes = await readFile(takeover);
    bytes.fill(0xff, 20_000, 20_200);
    expect(await failureOf(bytes)).toMatchObject({ exit: exitCode.usage, seen: expect.stringMatching(/^it is damaged at byte \d+$/u) as string });
  });

  test.each([
    ["is not there", undefined, /tshark/u],
    ["gives up", "cat >/dev/null\necho 'tshark: out of luck' >&2\nexit 3\n", /^tshark: out of luck$/u],
    ["gives up at once", "exec 0</dev/null\necho 'tshark: no' >&2\nexit 3\n", /^tshark: no$/u],
    ["prints something else", "cat >/dev/null\necho 'one column'\n", /a row of 1 columns/u],
  ])("tshark %s", async (_, script, seen) => {
    const path = process.env["PATH"];
    const programs = await mkdtemp(join(folder, "programs-"));
    const scripts = { sh: 'exec /bin/sh "$@"', cat: 'exec /bin/cat "$@"', setpriv: 'shift 2\nexec "$@"', ...(script !== undefined && { tshark: script }) };
    await Promise.all(Object.entries(scripts).map(([name, text]) => writeFile(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })));
    process.env["PATH"] = programs;
    try {
      await expect(decodeCapture(takeover, never)).rejects.toMatchObject({ exit: exitCode.usage, seen: expect.stringMatching(seen) as string });
    } finally {
      process.env["PATH"] = path;
    }
  });
});

test("a row that lacks what its protocol must have is refused, and quoted", () => {
  const row = (protocols: string) => ["1.000000000", "br0", protocols, "52:54:00:f1:01:00", "52:54:00:f1:02:01", ...Array.from({ length: 31 }, () => "")].join("\t");
  expect(() => new RowReader().read(row("eth:ethertype:ip:tcp"))).toThrow(/no ip\.src in the row 1\.000000000 br0/u);
  expect(new RowReader().read(row("eth:ethertype:lldp"))).toEqual({ point: "br0", packet: undefined });
});

test("decoding is given up when it is no longer wanted", async () => {
  await expect(decodeCapture(takeover, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
});
