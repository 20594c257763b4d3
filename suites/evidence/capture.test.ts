import { createSocket } from "node:dgram";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { startCapture, type CaptureOptions, type RunningCapture } from "../../lab/capture/capture.ts";
import { decodeCapture } from "../../lab/capture/decode.ts";
import type { Capture } from "../../lab/evidence/capture.ts";
import { tcpFlag, type DecodedCapture, type TcpBody } from "../../lab/evidence/packet.ts";
import { labFolder } from "../../lab/host/labFolder.ts";
import { healthyRun, story } from "../../lab/judge/healthyRun.ts";
import { judge } from "../../lab/judge/judge.ts";
import { silentProgress } from "../../lab/progress/progress.ts";
import type { Lab } from "../../lab/run/lab.ts";
import { fixturesFolder } from "../../lab/run/prepare.ts";
import { setRun } from "../../lab/run/runSetting.ts";
import { coldSuites, startLab } from "../../lab/run/startLab.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { capturePoints } from "../../lab/topology/topology.ts";

const withinMs = 5 * 60_000;
/** The reference tree's adverts, and the words that its conntrackds exchange, come every second. */
const advertsMs = 2_500;
/** Ports of the client's for its one connection, and of a host that nobody is. */
const sourcePort = 45_678;
const nobody = { address: "192.168.0.200", mac: "52:54:00:f1:7f:7f", port: 9 };
/** Takes ten times the smallest buffer that dumpcap has. */
const floodCount = 40_000;

interface Captured {
  readonly record: Capture;
  readonly decoded: DecodedCapture | undefined;
}

/** The restored lab is captured three times: as it should be; by a dumpcap that stands still while frames flood its buffer; by one that is killed. */
describe("a capture of the pair", () => {
  let whole: Captured;
  let again: Capture;
  let losing: Captured;
  let killed: Captured;

  beforeAll(async () => {
    const signal = AbortSignal.timeout(withinMs);
    const topology = primaryBackup;
    const setting = await setRun({ topology, config: join(fixturesFolder, "omarine-snat"), fault: { id: "none", target: topology.active }, accelerator: "auto", progress: silentProgress, signal });
    const keptIn = await mkdtemp(join(labFolder(), "captured-"));
    const { lab } = await startLab({ ...setting, keptIn, cold: process.env[coldSuites] !== undefined, writes: "private", progress: silentProgress, signal });
    await using running = lab;
    await connect(running, "");
    const captured = async (options: Pick<CaptureOptions, "bufferMiB">, happens: (capture: RunningCapture) => Promise<void>): Promise<Captured> => {
      await using capture = await startCapture({ topology, folder: keptIn, signal, ...options });
      await happens(capture);
      const record = await capture.stop();
      again = await capture.stop();
      return { record, decoded: record.problem === undefined ? await decodeCapture(capture.file, signal) : undefined };
    };
    losing = await captured({ bufferMiB: 1 }, async ({ pid }) => {
      tell(pid, "SIGSTOP");
      await flood();
      tell(pid, "SIGCONT");
    });
    killed = await captured({}, async ({ pid }) => {
      tell(pid, "SIGKILL");
      await delay(500, undefined, { signal });
    });
    whole = await captured({}, async () => {
      await connect(running, `,sourceport=${sourcePort}`);
      await delay(advertsMs, undefined, { signal });
    });
  }, withinMs + 30_000);

  test("a connection of the client's is seen on its way: the client's bridge, fw-1's taps, the server's bridge, translated between them", () => {
    const packets = whole.decoded?.packets ?? [];
    const isSyn = (body: TcpBody) => body.flags === tcpFlag.syn || (body.flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
    const first = packets.find(({ point, body }) => point === "br1" && body.kind === "tcp" && body.sourcePort === sourcePort && isSyn(body));
    if (first?.body.kind !== "tcp") expect.fail("the client's SYN is not on br1");
    const { seq } = first.body;
    const syns = packets.flatMap(({ point, body }) => (body.kind === "tcp" && isSyn(body) && body.seq === seq ? [{ point, source: body.sourceAddress }] : []));
    // What a bridge floods, or sends to a tap and sees itself, is captured within microseconds: the order is the path's, not theirs.
    expect(syns.filter(({ point }) => point.startsWith("br") || point.startsWith("fw-1")).sort((a, b) => a.point.localeCompare(b.point))).toEqual([
      { point: "br0", source: "192.168.1.100" },
      { point: "br1", source: "192.168.0.3" },
      { point: "fw-1.eth0", source: "192.168.1.100" },
      { point: "fw-1.eth1", source: "192.168.0.3" },
    ]);
    const [inside, outside] = ["fw-1.eth1", "fw-1.eth0"].map((name) => packets.find(({ point, body }) => point === name && body.kind === "tcp" && body.seq === seq)?.atMs ?? Number.NaN);
    expect(outside).toBeGreaterThan(inside ?? Number.NaN);
  });

  test("every point is there, nothing was lost, and the file holds what was counted", () => {
    const { record, decoded } = whole;
    expect(record.problem).toBeUndefined();
    expect(record.points.map((point) => point.interface)).toEqual(capturePoints(primaryBackup));
    expect(record.points.every(({ dropped }) => dropped === 0)).toBe(true);
    expect(record.points.map((point) => [point.interface, decoded?.frames.get(point.interface) ?? 0])).toEqual(record.points.map((point) => [point.interface, point.packets]));
    expect(record.stoppedAtMs).toBeGreaterThan(record.startedAtMs);
    expect(again).toEqual(record);
  });

  test("adverts and the replication of states are in it", () => {
    const packets = whole.decoded?.packets ?? [];
    for (const point of ["br0", "br1", "fw-1.eth0", "fw-2.eth1"]) expect(packets.some((packet) => packet.point === point && packet.body.kind === "vrrp"), point).toBe(true);
    expect(packets.some(({ point, body }) => point === "br2" && body.kind === "udp" && body.destinationPort === 3780)).toBe(true);
  });

  test("a run's capture is whole with that one; the controls: with one that lost packets, or ended by itself, the run is invalid", () => {
    const judged = ({ record, decoded }: Captured) => {
      const capture = { ...record, startedAtMs: story.startMs, stoppedAtMs: story.endMs };
      return judge({ ...healthyRun(), capture }, { packets: decoded?.packets });
    };
    const verdictOf = (captured: Captured) => {
      const { verdict, reason } = judged(captured);
      return `${verdict}: ${reason}`;
    };
    expect(judged(whole).checks.find(({ id }) => id === "capture-whole")).toMatchObject({ verdict: "pass" });
    expect(losing.record.problem).toBeUndefined();
    expect(losing.record.points.filter(({ dropped }) => dropped > 0).map((point) => point.interface)).toContain("br1");
    expect(verdictOf(losing)).toMatch(/^invalid: capture-whole \(run\): .* packets are lost, of .*br1/u);
    expect(verdictOf(killed)).toMatch(/^invalid: capture-whole \(run\): .*dumpcap ended before it was stopped/u);
  });
});

/** Connects from the client to the server's sshd, as soon as the pair lets it. @throws Failure when it does not within a minute. */
async function connect(lab: Lab, options: string): Promise<void> {
  const once = `socat -u OPEN:/dev/null TCP:192.168.1.3:22,connect-timeout=1${options}`;
  await lab.machine(primaryBackup.client).shell.must(`for try in $(seq 60); do ${once} && exit 0; sleep 0.5; done; exit 1`, { timeoutMs: 90_000 });
}

function tell(pid: number | undefined, signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
  if (pid === undefined || pid <= 1) throw new RangeError("dumpcap has no process id");
  process.kill(pid, signal);
}

/** Frames for a host that is not there: the bridge floods them to all taps of br1, and no machine has work with them. */
async function flood(): Promise<void> {
  await execa("ip", ["-batch", "-"], { input: `addr add 192.168.0.77/24 dev br1\nneigh add ${nobody.address} lladdr ${nobody.mac} dev br1\n` });
  const socket = createSocket("udp4");
  const send = () => new Promise<void>((resolve, reject) => socket.send(Buffer.alloc(100), nobody.port, nobody.address, (error) => (error === null ? resolve() : reject(error))));
  for (let sent = 0; sent < floodCount; sent += 100) await Promise.all(Array.from({ length: 100 }, send));
  socket.close();
  await execa("ip", ["addr", "del", "192.168.0.77/24", "dev", "br1"]);
}
