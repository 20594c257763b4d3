import { once } from "node:events";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBridges, removeBridges } from "../../lab/host/bridges.ts";
import { insideNative, startNatives, type RunningNative } from "../../lab/host/nativeHosts.ts";
import { mac } from "../../lab/topology/machines.ts";
import { sandwich, sandwichVlans } from "../../lab/topology/sandwich.ts";
import type { NativeHost, Topology } from "../../lab/topology/topology.ts";

const host = (name: string, number: number, vlan: number | undefined, own: number, networks: readonly string[] = []): NativeHost => ({
  name,
  nics: [{ name: "eth0", bridge: "br0", address: `10.162.0.${own}/24`, mac: mac(0xee, number, 0), ...(vlan === undefined ? {} : { vlan }) }],
  networks,
  routes: [],
});

const port = 7;
const { ingress, egress } = sandwichVlans;
const topology: Topology = { ...sandwich, natives: [host("asks", 1, ingress, 1), host("answers", 2, ingress, 2, ["172.20.0.0/16"]), host("elsewhere", 3, egress, 3), host("untagged", 4, undefined, 4)] };

describe("native hosts on a trunk", () => {
  let natives: readonly RunningNative[];
  beforeAll(async () => {
    await createBridges(topology);
    natives = await startNatives(topology);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(natives.map((native) => native[Symbol.asyncDispose]()));
    await removeBridges(topology);
  });

  const named = (name: string): RunningNative => natives.find((native) => native.host.name === name) ?? expect.fail(`no ${name}`);
  const run = (name: string, ...command: [string, ...string[]]) => {
    const [program, ...args] = insideNative(named(name), command);
    return execa(program, args, { reject: false });
  };
  /** What the asking host hears from a host's address: its words, or nothing. */
  const heard = async (from: string, address: string): Promise<string> => {
    const answering = `require("node:net").createServer((socket) => socket.end("here")).listen(${port}, "0.0.0.0", () => console.log("listens"))`;
    const asking = `require("node:net").connect({ host: "${address}", port: ${port} }).on("data", (words) => console.log(String(words))).setTimeout(2000, () => process.exit()).on("error", () => process.exit())`;
    const [program, ...args] = insideNative(named(from), ["setpriv", "--pdeathsig", "KILL", process.execPath, "-e", answering]);
    const service = execa(program, args, { reject: false });
    try {
      await once(service.stdout, "data");
      return (await run("asks", process.execPath, "-e", asking)).stdout;
    } finally {
      service.kill("SIGKILL");
      await service;
    }
  };

  test("those of one VLAN reach each other", async () => {
    expect(await heard("answers", "10.162.0.2")).toBe("here");
  });

  test("one is every address of its networks, once somebody knows the way", async () => {
    await run("asks", "ip", "route", "add", "172.20.0.0/16", "via", "10.162.0.2");
    expect(await heard("answers", "172.20.77.1")).toBe("here");
  });

  test("nobody reaches another VLAN, or who is in none", async () => {
    expect(await heard("elsewhere", "10.162.0.3")).toBe("");
    expect(await heard("untagged", "10.162.0.4")).toBe("");
  });
});
