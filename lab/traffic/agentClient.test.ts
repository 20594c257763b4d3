import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { silentProgress } from "../progress/progress.ts";
import { AgentClient } from "./agentClient.ts";
import { loopbackAddress, servicePort, startRig, type Rig } from "./agents.rig.ts";
import { tcp } from "./flowSpec.ts";
import { openFlows } from "./openFlows.ts";
import { TcpProxy } from "./proxies.rig.ts";
import { agentPort } from "./protocol.ts";

const signal = AbortSignal.timeout(60_000);
let rig: Rig;
let proxy: TcpProxy;

beforeAll(async () => {
  rig = await startRig(signal);
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});
beforeEach(async () => {
  proxy = await TcpProxy.to(rig.agents.client.address, agentPort);
  return () => proxy[Symbol.asyncDispose]();
});

function connect(): Promise<AgentClient> {
  return AgentClient.connect({ name: "client", address: proxy.address, port: agentPort }, { signal });
}

describe("control of a machine that forgot the connection", () => {
  test("is taken up anew by the next request after a reconnect, at once", async () => {
    await using control = await connect();
    proxy.stall();
    control.reconnect();
    const askedMs = performance.now();
    await control.request("now", {}, { signal });
    expect(performance.now() - askedMs).toBeLessThan(1_000);
    expect(proxy.connections).toBe(2);
    await control.request("now", {}, { signal });
    expect(proxy.connections).toBe(2);
  });

  test("the control: without a reconnect no answer comes", async () => {
    await using control = await connect();
    proxy.stall();
    await expect(control.request("now", {}, { signal, timeoutMs: 1_500 })).rejects.toThrow(/no answer within 1500 ms/u);
    expect(proxy.connections).toBe(1);
  });

  test("a request under way is put again, whether it waits for an answer or for a connection", async () => {
    await using control = await connect();
    proxy.stall();
    const waiting = control.request("now", {}, { signal });
    await sleep(50);
    control.reconnect();
    // In the middle of the connection that this began.
    await sleep(0);
    control.reconnect();
    expect((await waiting).nowMs).toBeGreaterThan(0);
  });

  test("a probe under way is not made twice", async () => {
    await using control = await connect();
    proxy.stall();
    const probe = control.request("connectOnce", { address: loopbackAddress(), port: servicePort, timeoutMs: 1_000, expect: "connect", probe: 1 }, { signal });
    const refused = expect(probe).rejects.toThrow(/control connection ended: closed by the host/u);
    await sleep(50);
    control.reconnect();
    await refused;
  });

  test("its flows live on, and nothing of them is lost", async () => {
    await using control = await connect();
    await using flows = await openFlows({ client: control, server: rig.server, serverAddress: rig.serverAddress, specs: [tcp(`omarine:${servicePort}`, { intervalMs: 20 })], progress: silentProgress, signal });
    for (let times = 0; times < 3; times += 1) {
      control.reconnect();
      expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
    }
    for (const { forward, reverse, errors, accepted } of await flows.ledgers({ signal })) {
      expect(forward.received.seq).toEqual(forward.sent.seq);
      expect(reverse.received.seq).toEqual(reverse.sent.seq);
      expect({ errors, accepted }).toEqual({ errors: [], accepted: 1 });
    }
  });

  test("another agent at its place is told: the flows are gone", async () => {
    await using control = await connect();
    proxy.targetAddress = rig.agents.server.address;
    control.reconnect();
    await expect(control.request("now", {}, { signal })).rejects.toThrow(/it was started anew, and the flows are gone/u);
  });
});
