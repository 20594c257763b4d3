import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clockSchema, flowLedgerSchema, type FlowLedger } from "../evidence/ledger.ts";
import { silentProgress } from "../progress/progress.ts";
import { agentPort } from "./protocol.ts";
import { AgentClient } from "./agentClient.ts";
import { servicePort, startRig, type Rig } from "./agents.rig.ts";
import { mixedFlows, tcp, udp, type FlowSpec } from "./flowSpec.ts";
import { openFlows, type OpenFlows } from "./openFlows.ts";
import { TcpProxy, UdpProxy } from "./proxies.rig.ts";

const signal = AbortSignal.timeout(60_000);
const target = `omarine:${servicePort}`;
const paced = { intervalMs: 20 };
let rig: Rig;

beforeAll(async () => {
  rig = await startRig(signal);
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

function open(specs: readonly FlowSpec[], through?: { readonly address: string }): Promise<OpenFlows> {
  const { client, server, serverAddress } = rig;
  return openFlows({
    client,
    server,
    serverAddress: through?.address ?? serverAddress,
    listenAddress: serverAddress,
    specs,
    within: 8_000,
    progress: silentProgress,
    signal,
  });
}

function only(ledgers: readonly FlowLedger[]): FlowLedger {
  const [ledger, ...others] = ledgers;
  if (ledger === undefined || others.length > 0) throw new RangeError(`${ledgers.length} ledgers, not one`);
  return ledger;
}

describe("flows that nothing disturbs", () => {
  test("arrive whole, in order, in every mode", async () => {
    await using flows = await open([
      ...(["client", "server", "both", "idle"] as const).map((mode) => tcp(target, { mode, ...paced })),
      udp(target, paced),
    ]);
    expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
    expect((await flows.resumed({ afterMs: Date.now(), within: 600, signal })).notResumed).toEqual(["tcp-004"]);
    const wokenMs = Date.now();
    await flows.wake(signal);
    const { notResumed, resumedAtMs } = await flows.resumed({ afterMs: wokenMs, within: 5_000, signal });
    expect(notResumed).toEqual([]);
    for (const atMs of resumedAtMs.values()) expect(atMs).toBeGreaterThanOrEqual(wokenMs);
    expect(await flows.drain({ signal })).toEqual([]);
    const ledgers = await flows.ledgers({ signal });
    for (const ledger of ledgers) {
      expect(() => flowLedgerSchema.parse(ledger)).not.toThrow();
      for (const direction of [ledger.forward, ledger.reverse]) {
        expect(direction.received.seq).toEqual(direction.sent.seq);
        expect(direction.corrupt).toBe(0);
      }
      expect(ledger).toMatchObject({ accepted: 1, errors: [], tuple: ledger.natTuple, serverSawSources: [ledger.natTuple.source] });
      expect(ledger.tuple.destination).toEqual({ address: rig.serverAddress, port: servicePort });
    }
    const [client, server, both, idle, request] = ledgers.map(({ forward, reverse }) => [forward.sent.seq.length > 1, reverse.sent.seq.length > 0]);
    expect([client, server, both, idle, request]).toEqual([[true, false], [false, true], [true, true], [false, true], [true, true]]);
  });

  test("a thousand flows open, move and are collected", async () => {
    await using flows = await open(mixedFlows({ tcp: 950, udp: 50, ssh: 0 }).map((spec) => ({ ...spec, port: servicePort, intervalMs: 500 })));
    expect((await flows.moving({ within: 6_000, signal })).notResumed).toEqual([]);
    const ledgers = await flows.ledgers({ signal });
    expect(ledgers).toHaveLength(1_000);
    expect(new Set(ledgers.map(({ kind, tuple }) => `${kind} ${tuple.source.port}`)).size).toBe(1_000);
    expect(ledgers.filter(({ forward, reverse }) => forward.received.seq.length !== forward.sent.seq.length || reverse.received.seq.length !== reverse.sent.seq.length)).toEqual([]);
  }, 20_000);

  test("speak again after a drain", async () => {
    await using flows = await open([tcp(target, paced), udp(target, paced)]);
    await flows.drain({ signal });
    expect((await flows.resumed({ afterMs: Date.now(), within: 400, signal })).notResumed).toHaveLength(2);
    await flows.speak(signal);
    expect((await flows.resumed({ afterMs: Date.now(), within: 5_000, signal })).notResumed).toEqual([]);
  });

  test("clocks are known within a few milliseconds", async () => {
    await using flows = await open([tcp(target)]);
    const clocks = await flows.clocks(signal);
    expect(clocks.map(({ clock }) => clock)).toEqual(["client", "omarine", "host"]);
    for (const clock of clocks) expect(clockSchema.parse(clock).errorMs).toBeLessThan(20);
    const { nowMs } = await rig.client.request("now", {}, { signal });
    expect(Math.abs(nowMs + (clocks[0]?.offsetMs ?? 0) - Date.now())).toBeLessThan(100);
  });
});

describe.concurrent("the ledger can tell", () => {
  test("a stall: longest silence, nothing lost, resumed only afterwards", async () => {
    await using proxy = await TcpProxy.to(rig.serverAddress, servicePort);
    await using flows = await open([tcp(target, paced)], proxy);
    await flows.moving({ within: 3_000, signal });
    proxy.stall();
    await sleep(100);
    const stalledMs = Date.now();
    expect((await flows.resumed({ afterMs: stalledMs, within: 800, signal })).notResumed).toEqual(["tcp-001"]);
    const goneOnMs = Date.now();
    proxy.go();
    const { resumedAtMs } = await flows.resumed({ afterMs: stalledMs, within: 3_000, signal });
    expect(resumedAtMs.get("tcp-001")).toBeGreaterThanOrEqual(goneOnMs - 20);
    const { forward, errors } = only(await flows.ledgers({ signal }));
    const gaps = forward.received.atMs.map((atMs, index) => atMs - (forward.received.atMs[index - 1] ?? atMs));
    expect(Math.max(...gaps)).toBeGreaterThan(700);
    expect(forward.received.seq).toEqual(forward.sent.seq);
    expect(errors).toEqual([]);
  });

  test("a reset, on both sides, by its code", async () => {
    await using proxy = await TcpProxy.to(rig.serverAddress, servicePort);
    await using flows = await open([tcp(target, paced)], proxy);
    await flows.moving({ within: 3_000, signal });
    // Node tells a reset that comes with the last bytes as an end of stream (libuv, uv__stream_io): so nothing is under way.
    expect(await flows.hold({ within: 5_000, signal })).toEqual([]);
    proxy.reset();
    await flows.speak(signal);
    expect((await flows.resumed({ afterMs: Date.now(), within: 400, signal })).notResumed).toEqual(["tcp-001"]);
    const { errors, accepted } = only(await flows.ledgers({ signal }));
    expect(errors.map(({ clock, code }) => `${clock} ${code}`)).toEqual(["client ECONNRESET", "omarine ECONNRESET"]);
    expect(accepted).toBe(1);
  });

  test("an end of stream", async () => {
    await using proxy = await TcpProxy.to(rig.serverAddress, servicePort);
    await using flows = await open([tcp(target, { mode: "server", ...paced })], proxy);
    await flows.moving({ within: 3_000, signal });
    proxy.cut();
    await sleep(200);
    expect(only(await flows.ledgers({ signal })).errors.map(({ code }) => code)).toContain("EOF");
  });

  test("a flipped bit: one record corrupt and not received", async () => {
    await using proxy = await TcpProxy.to(rig.serverAddress, servicePort);
    await using flows = await open([tcp(target, { mode: "client", ...paced })], proxy);
    await flows.moving({ within: 3_000, signal });
    proxy.corruptOnce();
    await flows.resumed({ afterMs: Date.now() + 100, within: 3_000, signal });
    const { forward } = only(await flows.ledgers({ signal }));
    expect(forward.corrupt).toBe(1);
    expect(forward.received.seq).toHaveLength(forward.sent.seq.length - 1);
  });

  test("a missing byte: nothing after it is believed", async () => {
    await using proxy = await TcpProxy.to(rig.serverAddress, servicePort);
    await using flows = await open([tcp(target, { mode: "client", ...paced })], proxy);
    await flows.moving({ within: 3_000, signal });
    proxy.swallowOnce();
    await sleep(300);
    expect((await flows.resumed({ afterMs: Date.now(), within: 300, signal })).notResumed).toEqual(["tcp-001"]);
    const { forward } = only(await flows.ledgers({ within: 500, signal }));
    expect(forward.corrupt).toBeGreaterThan(5);
  });

  test("datagrams dropped, doubled and garbled, and a lost NAT state", async () => {
    await using proxy = await UdpProxy.to(rig.serverAddress, servicePort);
    await using flows = await open([udp(target, paced)], proxy);
    for (const damage of ["drop", "duplicate", "corrupt"] as const) {
      proxy.once(damage);
      await flows.moving({ within: 3_000, signal });
    }
    proxy.forget();
    await flows.moving({ within: 3_000, signal });
    const { forward, reverse, serverSawSources, natTuple, tuple } = only(await flows.ledgers({ signal }));
    const distinct = new Set(forward.received.seq);
    expect(forward.sent.seq.length - distinct.size).toBe(2);
    expect(forward.received.seq.length - distinct.size).toBe(1);
    expect(forward.corrupt).toBe(1);
    expect(reverse.sent.seq).toHaveLength(distinct.size);
    expect(serverSawSources).toHaveLength(2);
    expect(natTuple.source).toEqual(serverSawSources[0]);
    expect(natTuple.source.port).not.toBe(tuple.source.port);
  });
});

describe("control", () => {
  test("is taken up again, and no record is lost meanwhile", async () => {
    await using proxy = await TcpProxy.to(rig.agents.client.address, agentPort);
    await using control = await AgentClient.connect({ name: "client", address: proxy.address, port: agentPort }, { signal });
    await using flows = await openFlows({ client: control, server: rig.server, serverAddress: rig.serverAddress, specs: [tcp(target, paced), udp(target, paced)], progress: silentProgress, signal });
    for (let times = 0; times < 3; times += 1) {
      proxy.reset();
      expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
    }
    for (const { forward, reverse, errors, accepted } of await flows.ledgers({ signal })) {
      expect(forward.received.seq).toEqual(forward.sent.seq);
      expect(reverse.received.seq).toEqual(reverse.sent.seq);
      expect({ errors, accepted }).toEqual({ errors: [], accepted: 1 });
    }
  });

  test("an unknown session and a wrong request are refused in words", async () => {
    await expect(rig.client.request("progress", { session: 1 }, { signal })).rejects.toThrow(/no session 1/u);
    await expect(rig.client.request("progress", { session: -1 }, { signal })).rejects.toThrow(/session must be a whole number/u);
  });

  test("flows that nobody accepts are a failure that names the error", async () => {
    const specs = [tcp("omarine:7008")];
    const failed = openFlows({ client: rig.client, server: rig.server, serverAddress: "127.0.0.1", listenAddress: rig.serverAddress, specs, progress: silentProgress, signal });
    await expect(failed).rejects.toMatchObject({ seen: expect.stringMatching(/^tcp-001 ended at once: ECONNREFUSED/u) as string, details: [expect.stringContaining("ECONNREFUSED") as string] });
  });
});
