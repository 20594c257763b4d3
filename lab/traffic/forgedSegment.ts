import { addressBytes } from "../topology/address.ts";

/** What stands in a forged segment. Both addresses are IPv4, or both IPv6; numbers are in host order. */
export interface ForgedSegment {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly payload: Buffer;
}

const headerBytes = 20;
const protocolTcp = 6;
const flagsAckPush = 0x18;

/** The Internet checksum (RFC 1071): the one's complement of the one's complement sum of all 16-bit words. */
export function internetChecksum(data: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < data.length; offset += 2) {
    sum += (data[offset] ?? 0) * 256 + (data[offset + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/**
 * A TCP segment (RFC 9293, 3.1) with ACK and PSH set and data, as it would stand in the middle of a connection, checksum right: a firewall
 * that drops it does so because it knows no such connection. @throws RangeError for what is no IP address, and for one of each kind.
 */
export function forgedSegment(segment: ForgedSegment): Buffer {
  const tcp = Buffer.alloc(headerBytes + segment.payload.length);
  tcp.writeUInt16BE(segment.sourcePort, 0);
  tcp.writeUInt16BE(segment.destinationPort, 2);
  tcp.writeUInt32BE(segment.sequence, 4);
  tcp.writeUInt32BE(segment.acknowledgement, 8);
  tcp.writeUInt8((headerBytes / 4) << 4, 12);
  tcp.writeUInt8(flagsAckPush, 13);
  tcp.writeUInt16BE(0xffff, 14);
  segment.payload.copy(tcp, headerBytes);
  tcp.writeUInt16BE(internetChecksum(Buffer.concat([pseudoHeader(segment, tcp.length), tcp])), 16);
  return tcp;
}

/** What a TCP checksum covers beside the segment: with IPv4 RFC 9293, 3.1; with IPv6 RFC 8200, 8.1. */
function pseudoHeader({ source, destination }: ForgedSegment, tcpLength: number): Buffer {
  const [from, to] = [addressBytes(source), addressBytes(destination)];
  if (from.length !== to.length) throw new RangeError(`a segment from ${source} cannot go to ${destination}`);
  const ipv4 = from.length === 4;
  const rest = Buffer.alloc(ipv4 ? 4 : 8);
  if (ipv4) {
    rest.writeUInt8(protocolTcp, 1);
    rest.writeUInt16BE(tcpLength, 2);
  } else {
    rest.writeUInt32BE(tcpLength, 0);
    rest.writeUInt8(protocolTcp, 7);
  }
  return Buffer.concat([from, to, rest]);
}
