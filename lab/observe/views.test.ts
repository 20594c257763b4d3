import { describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { parseAddresses } from "./addresses.ts";
import { injectsStates, parseConntrackdFigures, parseConntrackdStats } from "./conntrackd.ts";
import { parseForwarding } from "./forwarding.ts";
import { parseKernelLog } from "./kernelLog.ts";
import { parseNeighbours } from "./neighbours.ts";
import { recorded } from "./recorded.ts";
import { parseVrrp } from "./vrrp.ts";

test("ip -j addr: own and virtual addresses", () => {
  const addresses = parseAddresses(recorded("addresses"));
  expect(addresses).toContainEqual({ nic: "eth0", address: "192.168.1.1", prefixLength: 24 });
  expect(addresses).toContainEqual({ nic: "eth1", address: "192.168.0.100", prefixLength: 24 });
});

test("an address on an interface with a virtual router's MAC is on the NIC below; on one of another kind, on that", () => {
  const on = (ifname: string, address: string): string => JSON.stringify([{ ifname, link: "eth1", address, addr_info: [{ family: "inet", local: "192.168.0.100", prefixlen: 32 }] }]);
  expect(parseAddresses(on("vrrp.11", "00:00:5e:00:01:0b"))).toEqual([{ nic: "eth1", address: "192.168.0.100", prefixLength: 32 }]);
  expect(parseAddresses(on("eth1.5", "52:54:00:f1:03:01"))).toEqual([{ nic: "eth1.5", address: "192.168.0.100", prefixLength: 32 }]);
});

test("ip -j neigh: address, NIC, MAC and state", () => {
  expect(parseNeighbours(recorded("neighbours"))).toContainEqual({ address: "192.168.0.100", nic: "eth0", mac: "52:54:00:f1:03:01", state: ["REACHABLE"] });
  expect(parseNeighbours('[{"dst":"192.168.0.9","dev":"eth0","state":["FAILED"]}]')).toEqual([{ address: "192.168.0.9", nic: "eth0", state: ["FAILED"] }]);
});

test("over IPv6: virtual addresses beside own and link-local ones, in the same text as their neighbours' entries", () => {
  const addresses = parseAddresses(recorded("addresses-ipv6"));
  expect(addresses).toContainEqual({ nic: "eth1", address: "2001:db8:168::100", prefixLength: 64 });
  expect(addresses).toContainEqual({ nic: "eth1", address: "fe80::5054:ff:fef1:301", prefixLength: 64 });
  expect(parseNeighbours(recorded("neighbours-ipv6"))).toContainEqual({ address: "2001:db8:168::100", nic: "eth0", mac: "52:54:00:f1:03:01", state: ["REACHABLE"] });
});

test.each([["tentative", "2001:db8:9::1"], ["dadfailed", "2001:db8:168:1::2"]])("an IPv6 address that is %s is not used, and not held", (name, address) => {
  expect(recorded(`addresses-${name}`)).toContain(`"${address}"`);
  expect(parseAddresses(recorded(`addresses-${name}`)).map((held) => held.address)).toEqual(["2001:db8:168:1::3", "fe80::5054:ff:fef1:400"]);
});

test("bridge -j fdb: what was learned, not the ports' own addresses", () => {
  expect(parseForwarding(recorded("forwarding"))).toEqual([
    { mac: "52:54:00:f1:02:00", port: "f1.eth0" },
    { mac: "52:54:00:f1:03:00", port: "f2.eth0" },
    { mac: "52:54:00:f1:04:00", port: "o.eth0" },
  ]);
});

describe("keepalived's JSON", () => {
  test.each([
    ["master", "MASTER", 150],
    ["backup", "BACKUP", 100],
    ["fault", "FAULT", 150],
  ])("%s", (name, state, priority) => {
    expect(parseVrrp(recorded(`vrrp-${name}`))).toEqual([
      { name: "outside", nic: "eth0", state, priority, routerId: 50, addresses: ["192.168.1.100"] },
      { name: "inside", nic: "eth1", state, priority, routerId: 51, addresses: ["192.168.0.100"] },
    ]);
  });

  test.each(["", "[]", "[{}]", recorded("vrrp-master").slice(0, 500), recorded("vrrp-master").replace('"state":2', '"state":9')])("%j is an error", (text) => {
    expect(() => parseVrrp(text)).toThrow(Failure);
  });
});

describe("dmesg", () => {
  const packets = parseKernelLog(recorded("dmesg"));

  test("every logged packet, and nothing else", () => {
    expect(packets).toHaveLength(recorded("dmesg").match(/ IN=/gu)?.length ?? 0);
  });

  test("a refused SYN", () => {
    expect(packets[0]).toEqual({
      uptimeSeconds: 28.757188,
      prefix: "fw-denied: ",
      protocol: "tcp",
      inNic: "eth1",
      outNic: "eth0",
      source: "192.168.0.3",
      destination: "192.168.1.3",
      sourcePort: 40006,
      destinationPort: 23,
      flags: ["SYN"],
    });
  });

  test("the sequence field ACK= is not the flag ACK; flags all", () => {
    expect(packets.find((packet) => packet.sourcePort === 50001)).toMatchObject({ prefix: "fw-invalid: ", flags: ["ACK", "PSH"] });
  });

  test("an ICMP error is itself, not the packet it quotes", () => {
    expect(packets.find((packet) => packet.protocol === "icmp")).toEqual(
      expect.objectContaining({ prefix: "fw-icmp: ", source: "192.168.1.3", destination: "192.168.0.3", flags: [] }),
    );
    expect(packets.find((packet) => packet.protocol === "icmp")).not.toHaveProperty("sourcePort");
  });

  test("IPv6 addresses are short, as everywhere else", () => {
    expect(packets.find((packet) => packet.sourcePort === 40026)).toMatchObject({ source: "fd00::3", destination: "fd01::3" });
  });

  test("a forged segment over IPv6, as the kernel logs it", () => {
    const [packet] = parseKernelLog(recorded("dmesg-ipv6"));
    expect(packet).toMatchObject({ prefix: "fw-invalid: ", protocol: "tcp", source: "2001:db8:168::3", destination: "2001:db8:168:1::3", destinationPort: 7, flags: ["ACK", "PSH"] });
  });

  test("a packet's line that does not parse is an error", () => {
    expect(() => parseKernelLog("[    1.000000] fw-drop: IN=eth1 OUT=eth0 MAC= SRC=192.168.0.3\n")).toThrow(Failure);
  });
});

describe("conntrackd -s", () => {
  test("tells whether there is an external cache; a daemon that does not answer does not say that there is none", () => {
    expect(injectsStates(recorded("conntrackd-s"))).toBe(false);
    expect(injectsStates(recorded("conntrackd-not-running.stderr"))).toBe(false);
    expect(injectsStates(recorded("conntrackd-s-injecting"))).toBe(true);
  });

  test("headline figures", () => {
    expect(parseConntrackdStats(recorded("conntrackd-s"))).toEqual({
      internal: { entries: 13, created: 13, createFailed: 0, updateFailed: 0, destroyFailed: 0 },
      external: { entries: 0, created: 0, createFailed: 0, updateFailed: 0, destroyFailed: 0 },
      sentPackets: 41,
      receivedPackets: 22,
      sendErrors: 0,
      receiveErrors: 0,
      malformed: 0,
      lost: 0,
    });
  });

  test("an answer without figures is an error", () => {
    expect(() => parseConntrackdStats(recorded("conntrackd-not-running.stderr"))).toThrow(Failure);
    expect(() => parseConntrackdFigures("")).toThrow(Failure);
  });

  test("figures by their headings", () => {
    const network = parseConntrackdFigures(recorded("conntrackd-s-network"));
    expect(network).toContainEqual({ path: ["sequence tracking statistics", "recv", "Packets lost"], value: 0 });
    expect(network).toContainEqual({ path: ["multicast traffic (active device=eth2)", "Pckts sent"], value: 42 });
    expect(parseConntrackdFigures(recorded("conntrackd-s-runtime"))).toContainEqual({ path: ["netlink stats", "events received"], value: 45 });
    expect(parseConntrackdFigures(recorded("conntrackd-s-queue"))).toContainEqual({ path: ["queue errorq", "maximum elements"], value: 128 });
  });
});
