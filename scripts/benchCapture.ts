import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { startCapture } from "../lab/capture/capture.ts";
import { labFolder } from "../lab/host/labFolder.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";
import type { Lab } from "../lab/run/lab.ts";
import { startLab } from "../lab/run/startLab.ts";
import type { RoundOptions } from "./benchRound.ts";
import { hostPart, machineSpec, nicOf } from "../lab/topology/topology.ts";

/** The same transfer without and with a capture, in bytes a second as the client measured; and what the capture took and lost. */
export interface CaptureRound {
  readonly bareRate: number;
  readonly capturedRate: number;
  readonly packets: number;
  readonly dropped: number;
}

/** How long a transfer is to take, in seconds: long beside its connection's slow start. The first, of a set size, tells how much that is here. */
const transferSeconds = 3;
const firstBytes = 16 * 1024 * 1024;
/** The port that the policy lets pass, and that the agent holds. */
const port = 7;

/**
 * Measures how fast the pair forwards one TCP connection in bulk, without and with a capture by turns in one lab, the first of each pair by turns too.
 * @throws Failure when the lab does not come up, or a transfer is not whole.
 */
export async function measureCapture({ topology, trees, prepared, progress, signal }: RoundOptions, count: number): Promise<CaptureRound[]> {
  const keptIn = await mkdtemp(join(labFolder(), "bench-"));
  try {
    const { lab } = await startLab({ topology, trees, prepared, keptIn, progress, signal, cold: false, writes: "private" });
    await using running = lab;
    const server = hostPart(nicOf(machineSpec(topology, topology.server), "eth0").address);
    const { shell } = running.machine(topology.server);
    await shell.must(`systemctl stop fwlab-agent; (socat TCP-LISTEN:${port},reuseaddr,fork SYSTEM:'wc -c' >/dev/null 2>&1 &)`, { signal });
    const bytes = Math.round((await transfer(running, { server, bytes: firstBytes, signal })) * transferSeconds);
    const rounds: CaptureRound[] = [];
    for (let number = 1; number <= count; number += 1) {
      const bare = () => transfer(running, { server, bytes, signal });
      const captured = async () => {
        await using capture = await startCapture({ topology, folder: keptIn, signal });
        const rate = await bare();
        const { points } = await capture.stop();
        return { rate, packets: points.reduce((sum, point) => sum + point.packets, 0), dropped: points.reduce((sum, point) => sum + point.dropped, 0) };
      };
      const first = number % 2 === 1 ? await bare() : undefined;
      const { rate, packets, dropped } = await captured();
      const round = { bareRate: first ?? (await bare()), capturedRate: rate, packets, dropped };
      rounds.push(round);
      progress.note(`capture round ${number}: ${(round.bareRate / 1e6).toFixed(1)} MB/s without, ${(rate / 1e6).toFixed(1)} MB/s with, ${packets} packets, ${dropped} dropped`);
    }
    return rounds;
  } finally {
    await rm(keptIn, { recursive: true, force: true });
  }
}

interface Transfer {
  readonly server: string;
  readonly bytes: number;
  readonly signal: AbortSignal;
}

/**
 * Sends zeros from the client to the server, which counts them, once the pair forwards. @returns bytes a second by the client's clock.
 * @throws Failure; RangeError when bytes are missing.
 */
async function transfer(lab: Lab, { server, bytes, signal }: Transfer): Promise<number> {
  const answered = `until socat -u OPEN:/dev/null TCP:${server}:${port},connect-timeout=1; do sleep 0.5; done`;
  const send = `head -c ${bytes} /dev/zero | socat -b 131072 -t 30 - TCP:${server}:${port}`;
  const said = await lab.machine(primaryBackup.client).shell.must(`${answered}; begin=$(date +%s%N); ${send}; end=$(date +%s%N); echo $((end - begin))`, { signal, timeoutMs: 120_000 });
  const [counted, tookNs] = said.trim().split(/\s+/u).map(Number);
  if (counted !== bytes || tookNs === undefined || !(tookNs > 0)) throw new RangeError(`a transfer of ${bytes} bytes was answered: ${said}`);
  return counted / (tookNs / 1e9);
}
