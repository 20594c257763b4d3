/** Bytes of every record, on TCP and on UDP. */
export const recordSize = 48;

const magic = 0x66776c31;
const fillerAt = 20;

/** `forward` is client → server, `reverse` server → client. */
export type Direction = 0 | 1;
export const forward: Direction = 0;
export const reverse: Direction = 1;

/** A record of a flow, or of a probe: a connection that only asks whether the service answers. */
export type Purpose = 0 | 1;
export const ofFlow: Purpose = 0;
export const ofProbe: Purpose = 1;

/** What a record says about itself; everything else in it follows from this. All numbers are unsigned 32-bit integers. */
export interface RecordHeader {
  /** One opening of flows by the host, so that a record of an earlier one is never taken for ours. */
  readonly session: number;
  readonly flow: number;
  readonly direction: Direction;
  readonly purpose: Purpose;
  readonly seq: number;
}

/** Mixes 32 bits so that each bit of the input reaches each bit of the output (the finaliser of MurmurHash3). */
function mixed(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function fillerSeed(session: number, flow: number, tags: number, seq: number): number {
  return mixed(mixed(mixed(session ^ magic) + flow) + tags) + seq;
}

/** Writes one record of `recordSize` bytes. @throws RangeError when a number is not an unsigned 32-bit integer or `bytes` is too short. */
export function writeRecord(bytes: Buffer, at: number, header: RecordHeader): void {
  const tags = header.direction * 256 + header.purpose;
  bytes.writeUInt32BE(magic, at);
  bytes.writeUInt32BE(header.session, at + 4);
  bytes.writeUInt32BE(header.flow, at + 8);
  bytes.writeUInt32BE(tags, at + 12);
  bytes.writeUInt32BE(header.seq, at + 16);
  let filler = fillerSeed(header.session, header.flow, tags, header.seq);
  for (let offset = at + fillerAt; offset < at + recordSize; offset += 4) {
    filler = mixed(filler + 0x9e3779b9);
    bytes.writeInt32BE(filler, offset);
  }
}

/** The header of the record at `at`, or undefined when any of its bytes is not what the sender of such a header writes. */
export function readRecord(bytes: Buffer, at: number): RecordHeader | undefined {
  if (bytes.length < at + recordSize || bytes.readUInt32BE(at) !== magic) return undefined;
  const session = bytes.readUInt32BE(at + 4);
  const flow = bytes.readUInt32BE(at + 8);
  const tags = bytes.readUInt32BE(at + 12);
  const seq = bytes.readUInt32BE(at + 16);
  const direction = tags >>> 8;
  const purpose = tags & 255;
  if ((direction !== forward && direction !== reverse) || (purpose !== ofFlow && purpose !== ofProbe)) return undefined;
  let filler = fillerSeed(session, flow, tags, seq);
  for (let offset = at + fillerAt; offset < at + recordSize; offset += 4) {
    filler = mixed(filler + 0x9e3779b9);
    if (bytes.readInt32BE(offset) !== filler) return undefined;
  }
  return { session, flow, direction, purpose, seq };
}
