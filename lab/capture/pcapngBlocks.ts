import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** Block types of pcapng (draft-ietf-opsawg-pcapng, 4): section header, interface description, and the three kinds that hold a packet. */
const blockType = { section: 0x0a0d0d0a, interface: 1, oldPacket: 2, simplePacket: 3, packet: 6 } as const;
const byteOrderMagic = 0x1a2b3c4d;
/** Longer blocks than this no capture of ours has: such a length is damage. */
const longestBlock = 16 * 1024 * 1024;
const fewestBytes = 12;

/** A block of a pcapng file, byte for byte. A reader needs `section` and `interface` before packets; others than these kinds are left out. */
export interface Block {
  readonly kind: "section" | "interface" | "packet";
  readonly bytes: Buffer;
  readonly littleEndian: boolean;
}

/**
 * The blocks of a pcapng file, gzipped or not, in the order of the file, many at a time.
 * @throws Failure (usage) when there is no such file, it is no pcapng, or it is damaged or cut in the middle of a block; the signal's reason.
 */
export async function* readBlocks(file: string, signal: AbortSignal): AsyncGenerator<readonly Block[]> {
  const fail = (seen: string, cause?: unknown) =>
    new Failure({ tried: `read the capture ${file}`, seen, remedy: "Give a whole pcapng file, or take it from its first copy", exit: exitCode.usage, cause });
  let rest: Buffer = Buffer.alloc(0);
  let littleEndian: boolean | undefined;
  let position = 0;
  try {
    for await (const chunk of await contentOf(file, signal)) {
      const bytes: Buffer = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      const blocks: Block[] = [];
      let at = 0;
      while (bytes.length - at >= fewestBytes) {
        const type = bytes.readUInt32BE(at) === blockType.section ? blockType.section : undefined;
        if (type === blockType.section) littleEndian = isLittleEndian(bytes, at);
        if (littleEndian === undefined) throw fail("it is no pcapng file");
        const read = (offset: number) => (littleEndian === true ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
        const length = read(at + 4);
        if (length < fewestBytes || length > longestBlock || length % 4 !== 0) throw fail(`it is damaged at byte ${position + at}`);
        if (bytes.length - at < length) break;
        if (read(at + length - 4) !== length) throw fail(`it is damaged at byte ${position + at}`);
        const kind = kindOf(type ?? read(at));
        if (kind !== undefined) blocks.push({ kind, bytes: bytes.subarray(at, at + length), littleEndian });
        at += length;
      }
      position += at;
      rest = bytes.subarray(at);
      yield blocks;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    const cut = error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR";
    throw fail(cut ? "it is cut short: the compressed file has no end" : messageOf(error), error);
  }
  if (littleEndian === undefined) throw fail(position + rest.length === 0 ? "it is empty" : "it is no pcapng file");
  if (rest.length > 0) throw fail(`it is cut in the middle of a packet or block, ${rest.length} bytes after byte ${position}`);
}

function kindOf(type: number): Block["kind"] | undefined {
  if (type === blockType.section) return "section";
  if (type === blockType.interface) return "interface";
  return type === blockType.packet || type === blockType.oldPacket || type === blockType.simplePacket ? "packet" : undefined;
}

/** The byte order of a section, or undefined when the block at `at` is no section header. */
function isLittleEndian(bytes: Buffer, at: number): boolean | undefined {
  if (bytes.readUInt32LE(at + 8) === byteOrderMagic) return true;
  return bytes.readUInt32BE(at + 8) === byteOrderMagic ? false : undefined;
}

/** A file's content, unpacked when it begins as gzip does (RFC 1952, 2.3.1), whatever its name says. */
async function contentOf(file: string, signal: AbortSignal): Promise<Readable> {
  const handle = await open(file);
  let start: Buffer;
  try {
    start = (await handle.read(Buffer.alloc(2), 0, 2, 0)).buffer;
  } catch (error) {
    await handle.close();
    throw error;
  }
  const raw = handle.createReadStream({ start: 0, highWaterMark: 1024 * 1024, signal });
  if (start.readUInt16BE(0) !== 0x1f8b) return raw;
  const unpacked = createGunzip({ chunkSize: 1024 * 1024 });
  raw.on("error", (error) => unpacked.destroy(error));
  unpacked.on("close", () => raw.destroy());
  return raw.pipe(unpacked);
}
