/** What stands in a forged segment. Addresses are IPv4, numbers in host order. */
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

function addressBytes(address: string): Buffer {
  const bytes = address.split(".").map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)) {
    throw new RangeError(`not an IPv4 address: ${address}`);
  }
  return Buffer.from(bytes);
}

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
 * that drops it does so because it knows no such connection. @throws RangeError for what is no IPv4 address.
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
  const pseudoHeader = Buffer.concat([addressBytes(segment.source), addressBytes(segment.destination), Buffer.from([0, protocolTcp, 0, 0])]);
  pseudoHeader.writeUInt16BE(tcp.length, 10);
  tcp.writeUInt16BE(internetChecksum(Buffer.concat([pseudoHeader, tcp])), 16);
  return tcp;
}
