/** Cuts a stream of bytes into lines. A line that has no end yet waits for it. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  take(chunk: Uint8Array): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10)) {
      this.#onLine(bytes.subarray(0, end).toString());
      bytes = bytes.subarray(end + 1);
    }
    this.#rest = bytes;
  }
}
