import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBridges, removeBridges } from "../../lab/host/bridges.ts";
import { insideNative, startNatives, type RunningNative } from "../../lab/host/nativeHosts.ts";
import type { LoadRecord } from "../../lab/evidence/load.ts";
import { LoadGenerator } from "../../lab/load/loadGenerator.ts";
import type { LoadOrder } from "../../lab/load/order.ts";
import { mac } from "../../lab/topology/machines.ts";
import { sandwich } from "../../lab/topology/sandwich.ts";
import type { Topology } from "../../lab/topology/topology.ts";

/** A client and a server on one network, without anything between them. */
const topology: Topology = {
  ...sandwich,
  natives: [
    { name: "clients", nics: [{ name: "eth0", bridge: "br4", address: "172.30.0.1/24", mac: mac(0xee, 1, 0) }], networks: ["172.20.0.0/16"], routes: [{ to: "172.31.0.0/24", via: "172.30.0.2" }] },
    { name: "servers", nics: [{ name: "eth0", bridge: "br4", address: "172.30.0.2/24", mac: mac(0xee, 2, 0) }], networks: ["172.31.0.0/24"], routes: [{ to: "172.20.0.0/16", via: "172.30.0.1" }] },
  ],
};
const many = Number(process.env["FWLAB_LOAD"] ?? "300");
const order: LoadOrder = {
  clients: Array.from({ length: many + 20 }, (_, index) => `172.20.${Math.floor(index / 250)}.${1 + (index % 250)}`),
  held: many,
  servers: Array.from({ length: 8 }, (_, index) => `172.31.0.${10 + index}`),
  port: 80,
  pauseMs: 2_000,
  bytes: 2_000,
  timeoutMs: 5_000,
};
const signal = AbortSignal.timeout(300_000);

const counted = ({ requests }: LoadRecord): Record<string, number> => Object.fromEntries([...new Set(requests.outcome)].map((kind) => [kind, requests.outcome.filter((one) => one === kind).length]));

describe("a load generator", () => {
  let natives: readonly RunningNative[];
  beforeAll(async () => {
    await createBridges(topology);
    natives = await startNatives(topology);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(natives.map((native) => native[Symbol.asyncDispose]()));
    await removeBridges(topology);
  });

  const started = async (): Promise<LoadGenerator> => {
    const [clients, servers] = natives;
    if (clients === undefined || servers === undefined) return expect.fail("no natives");
    const load = await LoadGenerator.start({ clients, servers: [servers], order, signal });
    await load.open(60_000, signal);
    return load;
  };
  const onServers = (...command: [string, ...string[]]) => {
    const [program, ...args] = insideNative(natives[1] ?? expect.fail(), command);
    return execa(program, args);
  };

  test("every client's requests are answered as they should be, and held connections hold", async () => {
    await using load = await started();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const { stdout } = await onServers("ss", "--no-header", "--tcp", "--numeric", "state", "established", "sport = :80");
    const sources = new Set(stdout.split("\n").map((line) => line.trim().split(/\s+/u).at(3)?.replace(/:\d+$/u, "")));
    const record = await load.stop(signal);
    expect(Object.keys(counted(record))).toEqual(["ok"]);
    expect(record.requests.client.length).toBeGreaterThan(2 * order.clients.length);
    expect(new Set(record.requests.client).size).toBe(order.clients.length);
    expect(order.clients.slice(0, many).filter((address) => !sources.has(address))).toEqual([]);
    expect({ held: record.held, lost: record.lost }).toEqual({ held: order.held, lost: [] });
  }, 120_000);

  test("the control: servers that are out of reach are told, request by request", async () => {
    await using load = await started();
    await onServers("ip", "link", "set", "eth0", "down");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const record = await load.stop(signal);
    await onServers("ip", "link", "set", "eth0", "up");
    const kinds = counted(record);
    expect(Object.keys(kinds).filter((kind) => kind !== "ok").length).toBeGreaterThan(0);
    expect(record.held).toBeLessThan(order.held);
  }, 120_000);
});
