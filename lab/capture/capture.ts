import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { z } from "zod";
import type { Capture } from "../evidence/capture.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { capturePoints, type Topology } from "../topology/topology.ts";
import { untilAsleep } from "./asleep.ts";
import { countFrames } from "./countFrames.ts";
import { lastWord, pointsInFile, readCounts } from "./dumpcapWords.ts";

/**
 * Bytes kept of each frame: all headers that are decoded, and our record in a datagram. Ethernet (14) and two VLAN tags (8); then IPv4 with all its
 * options (60) and TCP with all its options (60) are the longest; IPv4, UDP (8) and a record (48) take less. 142, to the next multiple of 8.
 */
export const snapLength = 144;

/**
 * Megabytes of kernel buffer for each interface. libpcap divides it into blocks of 256 KiB, which the kernel fills one after the other, each for 250 ms at
 * most: a dumpcap that gets no processor loses nothing for 8 s, as long as no more than 30,000 frames come meanwhile.
 */
export const usualBufferMiB = 8;

/**
 * What dumpcap's readers may have put aside for its writer, in packets and bytes. Its own limit of 1,000 packets is a burst of a thousand flows that speak
 * at once, and beyond it dumpcap throws packets away while the kernel's buffers are empty.
 */
const queued = { packets: 1_000_000, bytes: 256 * 1024 * 1024 } as const;

const startWithinMs = 20_000;
const stopWithinMs = 20_000;
/** The kernel hands a part-filled block of frames to dumpcap within 250 ms (CAP_READ_TIMEOUT of its capture loop); what is in one when it is told to end is flushed. */
const handOverMs = 600;
/** A dumpcap that is served sleeps between two frames. */
const asleepWithinMs = 3_000;

export interface CaptureOptions {
  readonly topology: Topology;
  /** Folder for the capture's file while it grows. */
  readonly folder: string;
  readonly bufferMiB?: number;
  readonly signal: AbortSignal;
}

/** Starts dumpcap so that it dies with this process, in a session of its own: Ctrl-C at the terminal is for the runner alone. */
function startDumpcap(file: string, interfaces: readonly string[], bufferMiB: number) {
  const limits = ["-q", "-n", "-s", String(snapLength), "-B", String(bufferMiB), "-N", String(queued.packets), "-C", String(queued.bytes)];
  return execa("setpriv", ["--pdeathsig", "KILL", "dumpcap", ...limits, ...interfaces.flatMap((name) => ["-i", name]), "-w", file], {
    stdin: "ignore",
    stdout: "ignore",
    reject: false,
    detached: true,
    cleanup: false,
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
}

/** How dumpcap ended, and when. */
interface DumpcapEnd {
  readonly atMs: number;
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly output: string;
}

/**
 * Captures at all points of a topology, in the network namespace of this process, with one dumpcap. Resolves when the kernel hands it the frames of every point.
 * @throws Failure that quotes dumpcap when that is not so within 20 s; nothing runs then. The signal's reason.
 */
export async function startCapture({ topology, folder, bufferMiB = usualBufferMiB, signal }: CaptureOptions): Promise<RunningCapture> {
  signal.throwIfAborted();
  const interfaces = capturePoints(topology);
  const file = join(folder, "capture.pcapng");
  const dumpcap = startDumpcap(file, interfaces, bufferMiB);
  const ended = dumpcap.then(({ exitCode: code, signal: killedBy, stderr, originalMessage }): DumpcapEnd => {
    return { atMs: Date.now(), exitCode: code, signal: killedBy, output: stderr === "" ? (originalMessage ?? "") : stderr };
  });
  const capture = new RunningCapture(file, interfaces, dumpcap, ended);
  try {
    await untilRunning(capture, interfaces, signal);
    return capture;
  } catch (error) {
    await capture[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw new Failure({
      tried: `capture on ${interfaces.join(", ")}`,
      seen: `${messageOf(error)}: ${lastWord((await ended).output)}`,
      remedy: "The host needs dumpcap (sudo apt-get install -y --no-install-recommends wireshark-common), and memory for its buffers; --pcap off does without",
      exit: exitCode.invalid,
      details: (await ended).output.split("\n"),
      cause: error,
    });
  }
}

/** Waits until dumpcap holds a running packet socket on every interface. @throws when it ends before, or is not that far in time. */
async function untilRunning(capture: RunningCapture, interfaces: readonly string[], signal: AbortSignal): Promise<void> {
  const begin = performance.now();
  const indexes = await interfaceIndexes(signal);
  for (;;) {
    if (capture.end !== undefined) throw new Error("dumpcap ended at once");
    const running = capture.pid === undefined ? new Set<number>() : await capturedIndexes(capture.pid);
    const missing = interfaces.filter((name) => !running.has(indexes.get(name) ?? -1));
    if (missing.length === 0) break;
    if (performance.now() - begin > startWithinMs) throw new Error(`not on ${missing.join(", ")} within ${startWithinMs / 1000} s`);
    await delay(20, undefined, { signal });
  }
  capture.begun(Date.now());
}

const linksSchema = z.array(z.object({ ifindex: z.number().int(), ifname: z.string() }));

/** The numbers of this namespace's interfaces, by their names. @throws ExecaError, ZodError when ip(8) does not tell them. */
async function interfaceIndexes(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await execa("ip", ["-json", "link", "show"], { cancelSignal: signal });
  return new Map(linksSchema.parse(JSON.parse(stdout)).map(({ ifname, ifindex }) => [ifname, ifindex]));
}

/** Numbers of the interfaces of which a process gets the frames: those of its packet sockets that run (packet(7), /proc/net/packet). */
async function capturedIndexes(pid: number): Promise<ReadonlySet<number>> {
  const own = await socketInodes(pid);
  const rows = (await readFile("/proc/self/net/packet", "utf8")).trim().split("\n").slice(1);
  const captured = rows.map((row) => row.trim().split(/\s+/u)).filter(([, , , , , running, , , inode]) => running === "1" && own.has(inode ?? ""));
  return new Set(captured.map(([, , , , index]) => Number(index)));
}

async function socketInodes(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  // A process that has ended, or a descriptor that was closed since: neither holds a socket.
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => "")));
  return new Set(targets.map((target) => /^socket:\[(\d+)\]$/u.exec(target)?.[1]).filter((inode) => inode !== undefined));
}

/** A capture that runs until it is stopped. Disposal ends it, and removes its file. */
export class RunningCapture implements AsyncDisposable {
  /** Absolute path of the capture's file, a whole one once the capture was stopped. */
  readonly file: string;
  /** Process id of dumpcap, in the lab's PID namespace; undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly #process: Pick<ReturnType<typeof startDumpcap>, "pid" | "kill">;
  readonly #interfaces: readonly string[];
  readonly #ended: Promise<DumpcapEnd>;
  #end: DumpcapEnd | undefined;
  #startedAtMs = Number.NaN;
  #stopped: Promise<Capture> | undefined;

  constructor(file: string, interfaces: readonly string[], process: Pick<ReturnType<typeof startDumpcap>, "pid" | "kill">, ended: Promise<DumpcapEnd>) {
    this.file = file;
    this.pid = process.pid;
    this.#process = process;
    this.#interfaces = interfaces;
    this.#ended = ended.then((end) => (this.#end = end));
  }

  /** How dumpcap ended; undefined while it runs. */
  get end(): DumpcapEnd | undefined {
    return this.#end;
  }

  /** From now on every point is being captured. */
  begun(atMs: number): void {
    this.#startedAtMs = atMs;
  }

  /** Ends the capture when all frames so far are in its file, and says what is in it. `file` of the record is for whoever keeps it to say. Idempotent. */
  stop(): Promise<Capture> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<Capture> {
    const calledAtMs = Date.now();
    const endedBefore = this.#end;
    const { inTime, allWritten } = endedBefore === undefined ? await this.#interrupted() : { inTime: true, allWritten: false };
    const { exitCode: code, signal, output, atMs } = await this.#ended;
    const counts = readCounts(output, this.#interfaces);
    const frames = counts.points.some(({ flushed }) => flushed > 0) ? await countFrames(this.file, AbortSignal.timeout(stopWithinMs)) : undefined;
    const { points, problem: counting } = pointsInFile(counts, frames, allWritten);
    const how = `${signal ?? `exit code ${code ?? "unknown"}`} (${lastWord(output)})`;
    const problem =
      endedBefore !== undefined
        ? `dumpcap ended before it was stopped, with ${how}`
        : !inTime
          ? `dumpcap did not end within ${stopWithinMs / 1000} s`
          : code !== 0
            ? `dumpcap ended with ${how}`
            : counting;
    return {
      file: this.file,
      snapLength,
      startedAtMs: this.#startedAtMs,
      stoppedAtMs: Math.min(calledAtMs, atMs),
      points,
      ...(problem !== undefined && { problem }),
    };
  }

  /**
   * Tells dumpcap to end once it has written all frames, and kills it when it does not.
   * @returns whether it ended in time, and whether it was seen to have written all that was captured before this was called.
   */
  async #interrupted(): Promise<{ readonly inTime: boolean; readonly allWritten: boolean }> {
    await delay(handOverMs);
    const allWritten = this.pid !== undefined && (await untilAsleep(this.pid, asleepWithinMs));
    this.#kill("SIGINT");
    const waiting = new AbortController();
    try {
      const inTime = await Promise.race([this.#ended.then(() => true), delay(stopWithinMs, false, { signal: waiting.signal })]);
      return { inTime, allWritten };
    } finally {
      waiting.abort();
      this.#kill("SIGKILL");
    }
  }

  #kill(name: "SIGINT" | "SIGKILL"): void {
    this.#process.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopped === undefined) this.#kill("SIGKILL");
    await this.#ended;
    await rm(this.file, { force: true });
  }
}
