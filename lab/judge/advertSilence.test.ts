import { expect, test } from "vitest";
import type { Packet } from "../evidence/packet.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { longestAdvertSilence } from "./advertSilence.ts";

const advert = (point: string, sourceAddress: string, atMs: number): Packet => ({
  ...{ atMs, point, sourceMac: "00:00:5e:00:01:0a", destinationMac: "01:00:5e:00:00:12" },
  body: { kind: "vrrp", sourceAddress, destinationAddress: "224.0.0.18", ipId: 0, routerId: 10, priority: 150 },
});

test("the longest silence of one machine on one bridge, before a moment", () => {
  const packets = [
    ...[0, 1000, 2100, 5700, 6700].map((atMs) => advert("br0", "192.168.1.1", atMs)),
    ...[500, 1500, 2500, 3500, 4500, 5500].map((atMs) => advert("br1", "192.168.0.1", atMs)),
    ...[100, 5900].map((atMs) => advert("br0", "192.168.1.2", atMs)),
    advert("fw-2.eth0", "192.168.1.1", 3000),
  ].toSorted((a, b) => a.atMs - b.atMs);
  expect(longestAdvertSilence(packets, primaryBackup, "fw-1", 6000)).toEqual({ bridge: "br0", ms: 3600, fromMs: 2100 });
  expect(longestAdvertSilence(packets, primaryBackup, "fw-1", 5600)).toEqual({ bridge: "br0", ms: 1100, fromMs: 1000 });
  expect(longestAdvertSilence(packets, primaryBackup, "fw-1", 400)).toBeUndefined();
});
