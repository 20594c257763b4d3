import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { utils } from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flowLedgerSchema, type FlowLedger } from "../evidence/ledger.ts";
import { silentProgress } from "../progress/progress.ts";
import { loopbackAddress, startRig, type Rig } from "./agents.rig.ts";
import { ssh } from "./flowSpec.ts";
import { openFlows, type OpenFlows } from "./openFlows.ts";
import { TcpProxy } from "./proxies.rig.ts";
import { SshStandIn, sshPort } from "./sshServer.rig.ts";

const signal = AbortSignal.timeout(90_000);
const otherHostKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).public;
const rsaHostKey = utils.generateKeyPairSync("rsa", { bits: 1024 }).public;
const otherPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
let rig: Rig;

beforeAll(async () => {
  rig = await startRig(signal);
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

interface Changed {
  readonly identity?: Partial<SshStandIn["identity"]>;
  readonly address?: string;
  readonly within?: number;
}

/** A server and the way to it, of one test's own: it may stall, cut and tamper with them as it likes. */
class FarSide implements AsyncDisposable {
  readonly sshd: SshStandIn;
  readonly proxy: TcpProxy;

  private constructor(sshd: SshStandIn, proxy: TcpProxy) {
    this.sshd = sshd;
    this.proxy = proxy;
  }

  static async start(): Promise<FarSide> {
    const sshd = await SshStandIn.start();
    return new FarSide(sshd, await TcpProxy.to(sshd.address, sshPort));
  }

  open(count: number, { identity = {}, address = this.proxy.address, within = 5_000 }: Changed = {}): Promise<OpenFlows> {
    return openFlows({
      client: rig.client,
      server: rig.server,
      serverAddress: address,
      listenAddress: rig.serverAddress,
      specs: Array.from({ length: count }, () => ssh(`omarine:${sshPort}`, { intervalMs: 120 })),
      sshIdentity: { ...this.sshd.identity, ...identity },
      within,
      progress: silentProgress,
      signal,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.sshd[Symbol.asyncDispose]();
  }
}

function only(ledgers: readonly FlowLedger[]): FlowLedger {
  const [ledger, ...others] = ledgers;
  if (ledger === undefined || others.length > 0) throw new RangeError(`${ledgers.length} ledgers, not one`);
  return ledger;
}

describe.concurrent("a session", () => {
  test("is typed and answered to the last byte, across a stall", async () => {
    await using far = await FarSide.start();
    await using flows = await far.open(2);
    expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
    far.proxy.stall();
    const stalledMs = Date.now();
    expect((await flows.resumed({ afterMs: stalledMs + 50, within: 700, signal })).notResumed).toEqual(["ssh-001", "ssh-002"]);
    const goneOnMs = Date.now();
    far.proxy.go();
    const { notResumed, resumedAtMs } = await flows.resumed({ afterMs: stalledMs + 50, within: 3_000, signal });
    expect(notResumed).toEqual([]);
    for (const atMs of resumedAtMs.values()) expect(atMs).toBeGreaterThanOrEqual(goneOnMs - 20);
    expect(await flows.drain({ signal })).toEqual([]);
    const ledgers = await flows.ledgers({ signal });
    expect(new Set(ledgers.map(({ tuple }) => tuple.source.port)).size).toBe(2);
    for (const ledger of ledgers) {
      expect(() => flowLedgerSchema.parse(ledger)).not.toThrow();
      const { forward, reverse } = ledger;
      expect(forward.sent.seq.length).toBeGreaterThan(2);
      expect(forward.received).toEqual({ ...forward.received, clock: "client", seq: forward.sent.seq });
      expect(reverse.received).toEqual(forward.received);
      expect(reverse.sent).toEqual(forward.sent);
      expect(ledger).toMatchObject({
        kind: "ssh",
        mode: "request",
        errors: [],
        accepted: 1,
        forward: { corrupt: 0 },
        reverse: { corrupt: 0 },
        tuple: { destination: { address: far.proxy.address, port: sshPort } },
        natTuple: { source: { address: "192.168.1.100", port: 40_001 }, destination: { address: "192.168.1.3", port: 22 } },
        serverSawSources: [{ address: "192.168.1.100", port: 40_001 }],
      });
      const gaps = forward.received.atMs.map((atMs, index) => atMs - (forward.received.atMs[index - 1] ?? atMs));
      expect(Math.max(...gaps)).toBeGreaterThan(600);
    }
  });

  test("types the line under way to its end when all stop, and begins none", async () => {
    await using far = await FarSide.start();
    await using flows = await far.open(1);
    await flows.moving({ within: 5_000, signal });
    expect(await flows.drain({ signal })).toEqual([]);
    const { forward } = only(await flows.ledgers({ signal }));
    await sleep(300);
    const later = only(await flows.ledgers({ signal })).forward;
    expect(later.sent.seq).toEqual(forward.sent.seq);
    expect(later.received.seq).toEqual(later.sent.seq);
    await flows.speak(signal);
    expect((await flows.moving({ within: 3_000, signal })).notResumed).toEqual([]);
  });

  test("is in flight while a line is not answered", async () => {
    await using far = await FarSide.start();
    await using flows = await far.open(2);
    await flows.moving({ within: 5_000, signal });
    far.proxy.stall();
    await sleep(200);
    expect(await flows.drain({ within: 400, signal })).toEqual(["ssh-001", "ssh-002"]);
    far.proxy.go();
    expect(await flows.drain({ within: 3_000, signal })).toEqual([]);
  });

  test("is opened once, however often that is asked for", async () => {
    await using far = await FarSide.start();
    const before = far.sshd.connections;
    const order = { session: 77, role: "client", address: far.proxy.address, flows: [{ flow: 0, kind: "ssh", mode: "request", intervalMs: 120, port: sshPort }], identity: far.sshd.identity } as const;
    for (let times = 0; times < 3; times += 1) expect(await rig.client.request("open", order, { signal })).toEqual({ flows: 1 });
    await sleep(500);
    expect(far.sshd.connections - before).toBe(1);
    await rig.client.request("close", { session: 77 }, { signal });
  });
});

// By itself: so many logins keep client and server from everything else for a moment.
test("a session logs in though many others do, each on a connection of its own", async () => {
  await using far = await FarSide.start();
  const before = far.sshd.connections;
  // Twenty logins are work for the processor, which other tests have too.
  await using flows = await far.open(20, { within: 20_000 });
  expect(far.sshd.connections - before).toBe(20);
  expect((await flows.moving({ within: 5_000, signal })).notResumed).toEqual([]);
});

describe.concurrent("what the far side gets wrong is told:", () => {
  test("a line that it read otherwise than typed is corrupt, and not received", async () => {
    await using far = await FarSide.start();
    far.sshd.tamper = (program) => program.replace('[ "$line" = "$must" ]', '[ "$line" = "$must" ] && [ $n != 3 ]');
    await using flows = await far.open(1);
    await sleep(800);
    expect((await flows.moving({ within: 3_000, signal })).notResumed).toEqual([]);
    expect(await flows.drain({ within: 3_000, signal })).toEqual([]);
    const { forward, reverse, errors } = only(await flows.ledgers({ signal }));
    expect(forward.received.seq).toEqual(forward.sent.seq.filter((seq) => seq !== 3));
    expect(reverse.sent.seq).toEqual(forward.received.seq);
    expect(reverse.sent.atMs).toEqual(forward.sent.atMs.filter((_, seq) => seq !== 3));
    expect([forward.corrupt, reverse.corrupt, errors]).toEqual([1, 0, []]);
  });

  test("a byte that must not come: nothing after it is believed", async () => {
    await using far = await FarSide.start();
    far.sshd.tamper = (program) => program.replace("n=$((n + 1))", "n=$((n + 1)); [ $n = 3 ] && printf '!'");
    await using flows = await far.open(1);
    await sleep(800);
    expect((await flows.resumed({ afterMs: Date.now(), within: 400, signal })).notResumed).toEqual(["ssh-001"]);
    const { forward, reverse, errors } = only(await flows.ledgers({ within: 300, signal }));
    expect(forward.received.seq).toEqual([0, 1, 2]);
    expect([forward.corrupt, reverse.corrupt]).toEqual([0, 1]);
    expect(errors).toMatchObject([{ clock: "client", code: "EBYTES" }]);
  });
});

describe.concurrent("a session's end is told by its code:", () => {
  test("a reset, and its unanswered lines are missing", async () => {
    await using far = await FarSide.start();
    await using flows = await far.open(1);
    await flows.moving({ within: 5_000, signal });
    far.proxy.stall();
    await sleep(400);
    far.proxy.reset();
    await sleep(200);
    expect((await flows.resumed({ afterMs: Date.now(), within: 400, signal })).notResumed).toEqual(["ssh-001"]);
    const { errors, forward } = only(await flows.ledgers({ within: 1_000, signal }));
    expect(errors.map(({ clock, code }) => `${clock} ${code}`)).toEqual(["client ECONNRESET"]);
    expect(forward.received.seq.length).toBeLessThan(forward.sent.seq.length);
  });

  test("an end of the TCP stream", async () => {
    await using far = await FarSide.start();
    await using flows = await far.open(1);
    await flows.moving({ within: 5_000, signal });
    // A keystroke that meets the end first would be told as EPIPE.
    await flows.drain({ within: 3_000, signal });
    far.proxy.cut();
    await sleep(200);
    await flows.speak(signal);
    expect((await flows.resumed({ afterMs: Date.now(), within: 400, signal })).notResumed).toEqual(["ssh-001"]);
    const { errors } = only(await flows.ledgers({ signal }));
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toEqual(["EOF the server's side ended the TCP stream"]);
  });

  test("a flipped bit, which no session survives", async () => {
    await using far = await FarSide.start();
    await using flows = await far.open(1);
    await flows.moving({ within: 5_000, signal });
    far.proxy.corruptOnce();
    await sleep(500);
    expect((await flows.resumed({ afterMs: Date.now(), within: 400, signal })).notResumed).toEqual(["ssh-001"]);
    expect(only(await flows.ledgers({ signal })).errors).toHaveLength(1);
  });

  test("the end of the far side's program", async () => {
    await using far = await FarSide.start();
    await using flows = await far.open(1);
    await flows.moving({ within: 5_000, signal });
    far.sshd.endPrograms();
    await sleep(300);
    expect(only(await flows.ledgers({ signal })).errors).toMatchObject([{ clock: "client", code: "EOF", message: "the far side's program ended" }]);
  });
});

describe.concurrent("a session that cannot be opened says why:", () => {
  test("another host key", async () => {
    await using far = await FarSide.start();
    await expect(far.open(1, { identity: { hostKey: otherHostKey } })).rejects.toMatchObject({
      seen: "ssh-001 ended at once: EHOSTKEY the server shows another host key than the one made for it",
    });
  });

  test("a host key of a kind that the server has not", async () => {
    await using far = await FarSide.start();
    await expect(far.open(1, { identity: { hostKey: rsaHostKey } })).rejects.toMatchObject({
      seen: expect.stringMatching(/^ssh-001 ended at once: ESSH .*host key/u) as string,
    });
  });

  test("a line that is no host key", async () => {
    await using far = await FarSide.start();
    await expect(far.open(1, { identity: { hostKey: "" } })).rejects.toMatchObject({ seen: expect.stringContaining("hostKey must be a line with a public key") as string });
  });

  test("a login refused", async () => {
    await using far = await FarSide.start();
    await expect(far.open(2, { identity: { privateKey: otherPrivateKey } })).rejects.toMatchObject({
      seen: expect.stringMatching(/^ssh-00\d ended at once: ELOGIN All configured authentication methods failed$/u) as string,
    });
  });

  test("a private key that is none", async () => {
    await using far = await FarSide.start();
    await expect(far.open(1, { identity: { privateKey: "secret" } })).rejects.toMatchObject({ seen: expect.stringMatching(/EIDENTITY .*privateKey/u) as string });
  });

  test("a program that ends before it greets", async () => {
    await using far = await FarSide.start();
    far.sshd.tamper = () => "echo No account.; exit 1";
    await expect(far.open(1)).rejects.toMatchObject({ seen: `ssh-001 ended at once: EOF the far side's program ended, having said "No account.\\r\\n"` });
  });

  test("a program that says something else first", async () => {
    await using far = await FarSide.start();
    far.sshd.tamper = (program) => `echo Welcome.; ${program}`;
    await expect(far.open(1, { within: 1_000 })).rejects.toMatchObject({
      seen: "1 not open after 1000 ms, ssh-001 among them",
      details: [expect.stringMatching(/^ssh-001: .*no sign of the other side's program/u) as string],
    });
  });

  test("nobody listens", async () => {
    await using far = await FarSide.start();
    await expect(far.open(1, { address: loopbackAddress() })).rejects.toMatchObject({
      seen: expect.stringMatching(/^ssh-001 ended at once: ECONNREFUSED/u) as string,
      remedy: expect.stringContaining("sshd on omarine") as string,
    });
  });

  test("a server that stays silent", async () => {
    await using far = await FarSide.start();
    const address = loopbackAddress();
    const silent = createServer((socket) => socket.on("error", () => undefined)).listen(sshPort, address);
    await once(silent, "listening");
    await expect(far.open(1, { address, within: 700 })).rejects.toMatchObject({ seen: "1 not open after 700 ms, ssh-001 among them" });
    silent.close();
  });

  test("no identity", async () => {
    await using far = await FarSide.start();
    const failed = openFlows({ client: rig.client, server: rig.server, serverAddress: far.sshd.address, specs: [ssh(`omarine:${sshPort}`)], progress: silentProgress, signal });
    await expect(failed).rejects.toMatchObject({ seen: "ssh flows were asked for without an identity" });
  });
});
