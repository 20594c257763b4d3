import { recordSize } from "./record.ts";

/**
 * Cuts a byte stream into records of `recordSize` bytes. It counts bytes and never looks for the next magic:
 * a byte too few or too many makes every later record wrong, as it should.
 */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  /** Calls `onFrame` once for each whole record, with the buffer and the offset at which the record begins. */
  push(chunk: Buffer, onFrame: (bytes: Buffer, at: number) => void): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (; at + recordSize <= bytes.length; at += recordSize) onFrame(bytes, at);
    this.#rest = bytes.subarray(at);
  }

  /** Bytes of a record that has not come in whole. */
  get pendingBytes(): number {
    return this.#rest.length;
  }
}
