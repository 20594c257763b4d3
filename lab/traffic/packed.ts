function bytesOf(base64: string, width: number): ArrayBuffer {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  if (bytes.length % width !== 0) throw new RangeError(`${bytes.length} bytes are no whole number of ${width}-byte numbers`);
  return bytes.buffer;
}

/** Numbers out of an agent's packed column. @throws RangeError when the bytes are no whole number of 32-bit integers. */
export function int32sOf(base64: string): Int32Array {
  return new Int32Array(bytesOf(base64, 4));
}

/** As `int32sOf`, unsigned. */
export function uint32sOf(base64: string): Uint32Array {
  return new Uint32Array(bytesOf(base64, 4));
}

/** As `int32sOf`, for 64-bit floats. */
export function float64sOf(base64: string): Float64Array {
  return new Float64Array(bytesOf(base64, 8));
}

/** The packed form of 32-bit integers, as the agent takes it. */
export function packInt32s(numbers: Int32Array): string {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("base64");
}
