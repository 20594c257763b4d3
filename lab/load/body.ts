import { createHash } from "node:crypto";

const blockBytes = 32;

/** The path of an answer of so many bytes, which is another for each `seed`. */
export function pathOf(bytes: number, seed: number): string {
  return `/${bytes}/${seed}`;
}

/** Bytes that a path asks for; undefined when it asks for nothing that there is. At most a gigabyte. */
function bytesOf(path: string): number | undefined {
  const bytes = /^\/(\d{1,9})\/\d{1,10}$/u.exec(path)?.[1];
  return bytes === undefined ? undefined : Number(bytes);
}

/**
 * The answer of a server's address to a path: the same wherever it is asked for, and no other address's or path's, so that who gets another's answer knows.
 * @returns undefined when the path asks for nothing that there is.
 */
export function bodyOf(address: string, path: string): Buffer | undefined {
  const bytes = bytesOf(path);
  if (bytes === undefined) return undefined;
  const block = createHash("sha256").update(`${address} ${path}`).digest();
  const body = Buffer.alloc(bytes);
  // The number of each block stands in it: one that is missing, or comes twice, is seen.
  for (let at = 0, number = 0; at < bytes; at += blockBytes, number += 1) {
    block.writeUInt32LE(number, 0);
    block.copy(body, at);
  }
  return body;
}
