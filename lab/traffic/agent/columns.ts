/** Numbered records as two typed arrays that double when full: 12 bytes a record, so that a guest of 256 MiB holds millions. */
export class Columns {
  #seq = new Uint32Array(16);
  #atMs = new Float64Array(16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Notes record `seq` at `atMs`, milliseconds of the agent's monotonic clock. */
  push(seq: number, atMs: number): void {
    if (this.#length === this.#seq.length) this.#grow();
    this.#seq[this.#length] = seq;
    this.#atMs[this.#length] = atMs;
    this.#length += 1;
  }

  /** Time of the record noted last, or -1 when there is none. */
  get lastAtMs(): number {
    return this.#atMs[this.#length - 1] ?? -1;
  }

  /** Sequence number of the first record noted at or after `atMs`, or -1. Times never go back, so that halving finds it. */
  firstSeqFrom(atMs: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#atMs[middle] ?? Infinity) < atMs) low = middle + 1;
      else high = middle;
    }
    return low < this.#length ? (this.#seq[low] ?? -1) : -1;
  }

  /** When the first record numbered `seq` or higher was noted, or -1. Numbers may come in any order (UDP), so all are looked at. */
  firstTimeOf(seq: number): number {
    for (let index = 0; index < this.#length; index += 1) {
      if ((this.#seq[index] ?? -1) >= seq) return this.#atMs[index] ?? -1;
    }
    return -1;
  }

  /** Both columns, each as base64 of its little-endian numbers (32-bit unsigned, 64-bit float). */
  encoded(): { seq: string; atMs: string } {
    return { seq: base64Of(this.#seq.subarray(0, this.#length)), atMs: base64Of(this.#atMs.subarray(0, this.#length)) };
  }

  #grow(): void {
    const seq = new Uint32Array(this.#seq.length * 2);
    const atMs = new Float64Array(this.#atMs.length * 2);
    seq.set(this.#seq);
    atMs.set(this.#atMs);
    this.#seq = seq;
    this.#atMs = atMs;
  }
}

/** Base64 of the bytes of a typed array. */
export function base64Of(numbers: Uint32Array | Int32Array | Float64Array): string {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("base64");
}
