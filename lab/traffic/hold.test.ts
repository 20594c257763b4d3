import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FlowLedger } from "../evidence/ledger.ts";
import { silentProgress } from "../progress/progress.ts";
import { servicePort, startRig, type Rig } from "./agents.rig.ts";
import { ssh, tcp, udp, type FlowSpec } from "./flowSpec.ts";
import { openFlows, type OpenFlows } from "./openFlows.ts";
import { TcpProxy, UdpProxy } from "./proxies.rig.ts";
import { SshStandIn, sshPort } from "./sshServer.rig.ts";

const signal = AbortSignal.timeout(60_000);
const target = `omarine:${servicePort}`;
const paced = { intervalMs: 20 };
let rig: Rig;
let sshd: SshStandIn;

beforeAll(async () => {
  rig = await startRig(signal);
  sshd = await SshStandIn.start(rig.serverAddress);
});
afterAll(async () => {
  await sshd[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

function open(specs: readonly FlowSpec[], serverAddress = rig.serverAddress): Promise<OpenFlows> {
  const { client, server, serverAddress: listenAddress } = rig;
  return openFlows({ client, server, serverAddress, listenAddress, specs, sshIdentity: sshd.identity, within: 8_000, progress: silentProgress, signal });
}

const ofAllKinds = [
  ...(["client", "server", "both", "idle"] as const).map((mode) => tcp(target, { mode, ...paced })),
  udp(target, paced),
  ssh(`omarine:${sshPort}`, { intervalMs: 240 }),
];

/** Records that are missing, doubled or in another order than sent, by flow and direction. */
function notWhole(ledgers: readonly FlowLedger[]): string[] {
  return ledgers.flatMap(({ id, forward, reverse, errors }) => {
    const directions = Object.entries({ forward, reverse }).filter(([, { sent, received, corrupt }]) => corrupt > 0 || sent.seq.join() !== received.seq.join());
    return [...directions.map(([name]) => `${id} ${name}`), ...errors.map(({ code }) => `${id} ${code}`)];
  });
}

/** When the last record of all came in (host's epoch clock, milliseconds), less what the clocks may be wrong by. */
async function lastArrivalMs(flows: OpenFlows, ledgers: readonly FlowLedger[]): Promise<number> {
  const clocks = new Map((await flows.clocks(signal)).map((clock) => [clock.clock, clock]));
  const times = ledgers.flatMap(({ forward, reverse }) =>
    [forward.received, reverse.received].map(({ clock, atMs }) => (atMs.at(-1) ?? -Infinity) + (clocks.get(clock)?.offsetMs ?? NaN) - (clocks.get(clock)?.errorMs ?? NaN)),
  );
  return Math.max(...times);
}

const counts = (ledgers: readonly FlowLedger[]): number[] => ledgers.flatMap(({ forward, reverse }) => [forward.sent.seq.length, reverse.sent.seq.length]);

describe.concurrent("flows that are held", () => {
  test("have nothing in flight, stand still, go on, and have lost nothing, however often", async () => {
    await using flows = await open(ofAllKinds);
    await flows.wake(signal);
    for (let times = 0; times < 4; times += 1) {
      expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
      await sleep(37 * times);
      const heldMs = performance.now();
      expect(await flows.hold({ within: 5_000, signal })).toEqual([]);
      expect(performance.now() - heldMs).toBeLessThan(1_500);
      const heldAtMs = Date.now();
      const before = await flows.ledgers({ signal });
      expect(notWhole(before)).toEqual([]);
      expect(await lastArrivalMs(flows, before)).toBeLessThanOrEqual(heldAtMs);
      await sleep(300);
      expect(counts(await flows.ledgers({ signal }))).toEqual(counts(before));
      await flows.speak(signal);
    }
    expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
    const ledgers = await flows.ledgers({ signal });
    expect(notWhole(ledgers)).toEqual([]);
    for (const { forward, reverse } of ledgers) expect(forward.sent.seq.length + reverse.sent.seq.length).toBeGreaterThanOrEqual(10);
  }, 30_000);

  test("are told when something is still in flight at the end of the bound, and what that is arrives later", async () => {
    await using proxy = await TcpProxy.to(rig.serverAddress, sshPort);
    await using flows = await open([ssh(`omarine:${sshPort}`, { intervalMs: 120 })], proxy.address);
    await flows.moving({ within: 5_000, signal });
    proxy.stall();
    await sleep(200);
    expect(await flows.hold({ within: 300, signal })).toEqual(["ssh-001"]);
    const heldAtMs = Date.now();
    proxy.go();
    expect(await lastArrivalMs(flows, await flows.ledgers({ signal }))).toBeGreaterThan(heldAtMs);
    await flows.speak(signal);
    expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
    expect(notWhole(await flows.ledgers({ signal }))).toEqual([]);
  });

  test("wait for a datagram only as long as one may still come", async () => {
    await using proxy = await UdpProxy.to(rig.serverAddress, servicePort);
    await using flows = await open([udp(target, { intervalMs: 500 })], proxy.address);
    await flows.moving({ within: 5_000, signal });
    proxy.once("drop");
    while (!proxy.damageDone) await sleep(5);
    const heldMs = performance.now();
    expect(await flows.hold({ within: 8_000, signal })).toEqual(["udp-001"]);
    expect(performance.now() - heldMs).toBeLessThan(4_000);
    await flows.speak(signal);
    expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
    expect(notWhole(await flows.ledgers({ signal }))).toEqual(["udp-001 forward"]);
  });
});

/** The ledger of a flow that was stalled when it was told to stop by `how`, and went on right afterwards. */
async function stalledMeanwhile(how: "hold" | "drain"): Promise<string[]> {
  await using proxy = await TcpProxy.to(rig.serverAddress, servicePort);
  await using flows = await open([tcp(target, { mode: "client", ...paced })], proxy.address);
  await flows.moving({ within: 5_000, signal });
  proxy.stall();
  await sleep(200);
  expect(await flows[how]({ within: 200, signal })).toEqual(["tcp-001"]);
  const collected = flows.ledgers({ within: 5_000, signal });
  await sleep(how === "hold" ? 300 : 1_000);
  proxy.go();
  return notWhole(await collected);
}

test.concurrent("ledgers after a hold wait for what is in flight", async () => {
  expect(await stalledMeanwhile("hold")).toEqual([]);
});

test.concurrent("the control: ledgers after a drain do not", async () => {
  expect(await stalledMeanwhile("drain")).toEqual(["tcp-001 forward"]);
});
