import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { Client } from "ssh2";
import { utils } from "ssh2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { flowLedgerSchema } from "../evidence/ledger.ts";
import type { MachineShell } from "../machine/shell.ts";
import { silentProgress } from "../progress/progress.ts";
import { startRig, type Rig } from "./agents.rig.ts";
import { ssh } from "./flowSpec.ts";
import { openFlows } from "./openFlows.ts";
import { TcpProxy } from "./proxies.rig.ts";
import { SshStandIn, sshPort } from "./sshServer.rig.ts";

const signal = AbortSignal.timeout(60_000);
let rig: Rig;
let sshd: SshStandIn;
let control: Client;

beforeAll(async () => {
  rig = await startRig(signal);
  sshd = await SshStandIn.start();
  control = await sshd.login();
});
afterAll(async () => {
  control.end();
  await sshd[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** This host in place of the client machine. */
function shell(): MachineShell {
  const run: MachineShell["run"] = async (command) => {
    const { stdout, stderr, exitCode } = await execa("sh", ["-c", command], { reject: false });
    return { stdout, stderr, exitCode: exitCode ?? -1 };
  };
  return { name: "client", address: sshd.address, run, must: async (command) => (await run(command)).stdout, connection: () => Promise.resolve(control) };
}

function open(proxy: TcpProxy, count: number, hostKey = sshd.hostKeyLine) {
  return openFlows({
    client: { agent: rig.client, shell: shell() },
    server: { agent: rig.server },
    serverAddress: proxy.address,
    listenAddress: rig.serverAddress,
    specs: Array.from({ length: count }, () => ssh(`omarine:${sshPort}`, { intervalMs: 120 })),
    sshIdentity: { username: "root", privateKey: sshd.privateKey, hostKey },
    within: 5_000,
    progress: silentProgress,
    signal,
  });
}

test("sessions are typed and answered to the last byte, across a stall", async () => {
  await using proxy = await TcpProxy.to(sshd.address, sshPort);
  await using flows = await open(proxy, 2);
  expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
  proxy.stall();
  const stalledMs = Date.now();
  expect((await flows.resumed({ afterMs: stalledMs + 50, within: 700, signal })).notResumed).toEqual(["ssh-001", "ssh-002"]);
  proxy.go();
  expect((await flows.resumed({ afterMs: stalledMs + 50, within: 3_000, signal })).notResumed).toEqual([]);
  expect(await flows.drain({ signal })).toEqual([]);
  const ledgers = await flows.ledgers({ signal });
  expect(new Set(ledgers.map(({ tuple }) => tuple.source.port)).size).toBe(2);
  for (const ledger of ledgers) {
    expect(() => flowLedgerSchema.parse(ledger)).not.toThrow();
    const { forward, reverse } = ledger;
    expect(forward.sent.seq.length).toBeGreaterThan(6);
    expect(forward.received.seq).toEqual(forward.sent.seq);
    expect(reverse.received.seq).toEqual(reverse.sent.seq);
    expect(ledger).toMatchObject({
      errors: [],
      forward: { corrupt: 0 },
      reverse: { corrupt: 0 },
      tuple: { destination: { address: proxy.address, port: sshPort } },
      natTuple: { source: { address: "192.168.1.100", port: 40_001 }, destination: { address: sshd.address, port: sshPort } },
    });
    const gaps = forward.received.atMs.map((atMs, index) => atMs - (forward.received.atMs[index - 1] ?? atMs));
    expect(Math.max(...gaps)).toBeGreaterThan(600);
  }
});

test("a session that is cut says so, and its unanswered lines are missing", async () => {
  await using proxy = await TcpProxy.to(sshd.address, sshPort);
  await using flows = await open(proxy, 1);
  await flows.moving({ within: 5_000, signal });
  proxy.stall();
  await sleep(400);
  proxy.reset();
  await sleep(200);
  const [ledger] = await flows.ledgers({ within: 1_000, signal });
  expect(ledger?.errors).toHaveLength(1);
  expect(ledger?.forward.received.seq.length).toBeLessThan(ledger?.forward.sent.seq.length ?? 0);
});

test("another host key is refused", async () => {
  await using proxy = await TcpProxy.to(sshd.address, sshPort);
  await expect(open(proxy, 1, utils.generateKeyPairSync("ed25519").public)).rejects.toMatchObject({ seen: "it shows another host key than the one made for it" });
});
