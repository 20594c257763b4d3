import { once } from "node:events";
import { availableParallelism } from "node:os";
import { execa } from "execa";
import type { DecodedCapture, Packet } from "../evidence/packet.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { carriesData, frameOf, interfaceNameOf } from "./capturedFrame.ts";
import { readBlocks, type Block } from "./pcapngBlocks.ts";
import { RowReader, tsharkArguments } from "./tsharkFields.ts";

/** Packets that are given to one tshark at a time: few, so that all have as much to do. A capture of no more than these is read by one alone, as each takes 0.5 s to start. */
const dealtTogether = 1_024;
/** More of them than processors gain nothing, and each takes 100 MB. */
const mostReaders = Math.min(4, availableParallelism());

export interface DecodeOptions {
  /**
   * Points whose TCP and UDP is only counted, not decoded: half of all packets are on bridges, and the firewalls' taps tell of the same ones.
   * None unless given.
   */
  readonly countDataAt?: readonly string[];
}

/**
 * Decodes a capture, gzipped or not, with as many tsharks side by side as there are processors: one alone reads 60,000 packets a second.
 * @throws Failure (usage) when there is no such file, it is no pcapng, it is cut short or damaged, or tshark is missing or cannot read it; the
 * signal's reason.
 */
export async function decodeCapture(file: string, signal: AbortSignal, { countDataAt = [] }: DecodeOptions = {}): Promise<DecodedCapture> {
  const rows = new RowReader();
  const packets: Packet[] = [];
  const frames = new Map<string, number>();
  const count = (point: string) => frames.set(point, (frames.get(point) ?? 0) + 1);
  const onlyCounted = new Set(countDataAt);
  const take = (line: string) => {
    const { point, packet } = rows.read(line);
    count(point);
    if (packet !== undefined) packets.push(packet);
  };
  const giveUp = new AbortController();
  const readers: Reader[] = [];
  try {
    let turn = 0;
    const heads: Buffer[] = [];
    let interfaces: (string | undefined)[] = [];
    let hand: Buffer[] = [];
    const deal = async () => {
      if (hand.length === 0) return;
      const index = turn % mostReaders;
      turn += 1;
      readers[index] ??= startReader(file, heads, take, AbortSignal.any([signal, giveUp.signal]));
      const dealt = hand;
      hand = [];
      await readers[index].write(dealt);
    };
    const counted = (block: Block): boolean => {
      const captured = onlyCounted.size === 0 ? undefined : frameOf(block);
      const point = captured && interfaces[captured.interface];
      if (captured === undefined || point === undefined || !onlyCounted.has(point) || !carriesData(captured.frame)) return false;
      count(point);
      return true;
    };
    const sort = async (block: Block) => {
      const { kind, bytes } = block;
      if (kind === "packet") {
        if (!counted(block)) hand.push(bytes);
      } else {
        // Numbers of interfaces are a section's own.
        if (kind === "section") interfaces = [];
        else interfaces.push(interfaceNameOf(block));
        // Packets before a new interface must not be read with it, nor those after it without it.
        await deal();
        heads.push(bytes);
        await Promise.all(readers.map((reader) => reader.write([bytes])));
      }
    };
    for await (const blocks of readBlocks(file, signal)) {
      for (const block of blocks) {
        if (hand.length >= dealtTogether) await deal();
        await sort(block);
      }
    }
    await deal();
    await Promise.all(readers.map((reader) => reader.end()));
  } catch (error) {
    giveUp.abort();
    await Promise.allSettled(readers.map((reader) => reader.end()));
    signal.throwIfAborted();
    throw error;
  }
  return { packets: packets.sort((a, b) => a.atMs - b.atMs), frames };
}

interface Reader {
  /** Resolves when there is room for more. @throws Failure when tshark has ended. */
  readonly write: (blocks: readonly Buffer[]) => Promise<void>;
  /** Waits until all has been read. @throws Failure when tshark could not, or printed what it was not asked for. */
  readonly end: () => Promise<void>;
}

function startReader(file: string, heads: readonly Buffer[], take: (line: string) => void, cancelSignal: AbortSignal): Reader {
  // tshark reads pipes, and what Node gives a child is a socket: cat stands between. It ends with its stdin, and tshark with it.
  const tshark = execa("sh", ["-c", 'cat | "$@"', "sh", "setpriv", "--pdeathsig", "KILL", "tshark", ...tsharkArguments], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    buffer: { stdout: false, stderr: true },
    reject: false,
    cancelSignal,
    // Nobody's own preferences: they could change what fields say.
    env: { WIRESHARK_CONFIG_DIR: "/nonexistent", PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  // That tshark takes no more is told by how it ended.
  tshark.stdin.on("error", () => undefined);
  const fail = (seen: string, cause?: unknown) =>
    new Failure({
      tried: `decode the capture ${file}`,
      seen,
      remedy: "It takes tshark 4.0 or newer: sudo apt-get install -y --no-install-recommends tshark",
      exit: exitCode.usage,
      cause,
    });
  const done = (async () => {
    try {
      await eachLine(tshark.stdout, take);
    } catch (error) {
      tshark.kill();
      await tshark;
      throw fail(`tshark printed ${messageOf(error)}`, error);
    }
    const result = await tshark;
    if (result.failed) {
      const words = result.stderr.split("\n").filter((line) => !/^Running as user/u.test(line) && line.trim() !== "");
      throw fail(words.at(-1) ?? result.originalMessage ?? `tshark ended with exit code ${result.exitCode ?? "none"}`, result);
    }
  })();
  // It is waited for in `write` and `end`; until then, nobody is to be surprised.
  done.catch(() => undefined);
  const write = async (blocks: readonly Buffer[]) => {
    if (tshark.stdin.destroyed || tshark.stdin.write(Buffer.concat(blocks))) return;
    await Promise.race([once(tshark.stdin, "drain").catch(() => done), done]);
  };
  tshark.stdin.write(Buffer.concat(heads));
  return {
    write,
    end: async () => {
      tshark.stdin.end();
      await done;
    },
  };
}

/** Hands on each line of a stream of ASCII text, without its end. */
async function eachLine(stream: AsyncIterable<unknown>, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const chunk of stream) {
    const text = rest + (chunk as Buffer).toString("latin1");
    let at = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", at)) {
      take(text.slice(at, end));
      at = end + 1;
    }
    rest = text.slice(at);
  }
  if (rest !== "") throw new RangeError(`a line without an end: ${rest.slice(0, 200)}`);
}
