import type { Block } from "./pcapngBlocks.ts";

/** Enhanced packet block and interface description block, their fixed parts, and the option that names an interface (draft-ietf-opsawg-pcapng, 4.2 and 4.3). */
const packetBlock = 6;
const interfaceNameOption = 2;
const interfaceOptionsAt = 16;
const frameAt = 28;
/** Length that closes every block. */
const closingBytes = 4;

const etherType = { ipv4: 0x0800, ipv6: 0x86dd, tagged: [0x8100, 0x88a8] } as const;
const protocol = { tcp: 6, udp: 17 } as const;

function numbersOf({ bytes, littleEndian }: Block): { readonly short: (at: number) => number; readonly long: (at: number) => number } {
  return {
    short: (at) => (littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    long: (at) => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
  };
}

/** The name in an interface description block; undefined when it tells none. */
export function interfaceNameOf(block: Block): string | undefined {
  const { short } = numbersOf(block);
  const end = block.bytes.length - closingBytes;
  for (let at = interfaceOptionsAt; at + 4 <= end; ) {
    const length = short(at + 2);
    if (short(at) === interfaceNameOption && at + 4 + length <= end) return block.bytes.toString("utf8", at + 4, at + 4 + length);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}

/** The frame in an enhanced packet block, and the number of its interface in its section. Undefined for packet blocks of older kinds. */
export function frameOf(block: Block): { readonly interface: number; readonly frame: Buffer } | undefined {
  const { long } = numbersOf(block);
  if (long(0) !== packetBlock) return undefined;
  const end = Math.min(frameAt + long(20), block.bytes.length - closingBytes);
  return { interface: long(8), frame: block.bytes.subarray(frameAt, end) };
}

/** Whether an Ethernet frame carries TCP or UDP, directly over IPv4 or IPv6, behind any number of VLAN tags. */
export function carriesData(frame: Buffer): boolean {
  let at = 12;
  while (at + 2 <= frame.length && etherType.tagged.some((type) => type === frame.readUInt16BE(at))) at += 4;
  if (at + 12 > frame.length) return false;
  const type = frame.readUInt16BE(at);
  const carried = type === etherType.ipv4 ? frame.readUInt8(at + 11) : type === etherType.ipv6 ? frame.readUInt8(at + 8) : undefined;
  return carried === protocol.tcp || carried === protocol.udp;
}
