import { isIPv4, isIPv6 } from "node:net";
import type { Value } from "./ruleset.ts";

/** An address as a number, and its version; undefined where the text is none. */
export function addressNumber(text: string): { readonly version: 4 | 6; readonly number: bigint } | undefined {
  if (isIPv4(text)) return { version: 4, number: groups(text.split(".").map(Number), 8n) };
  if (!isIPv6(text)) return undefined;
  // An IPv4 address at the end stands for two groups (RFC 4291, 2.2).
  const written = text.replace(/%.*$/u, "").replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/u, (_all, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = "", tail] = written.split("::");
  const hextets = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)));
  const before = hextets(head);
  const after = tail === undefined ? [] : hextets(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return { version: 6, number: groups([...before, ...zeros, ...after], 16n) };
}

function groups(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((number, part) => (number << bits) + BigInt(part), 0n);
}

/** The addresses of `192.168.0.0/24`, `192.168.0.0/255.255.255.0`, `fe80::1`, or of a range's two ends; undefined where a text is no address. */
export function addressesOf(text: string, last?: string): Value | undefined {
  const [address = "", prefix] = text.split("/");
  const from = addressNumber(address);
  if (from === undefined) return undefined;
  const { version, number } = from;
  if (last !== undefined) {
    const to = addressNumber(last);
    return to?.version === version ? { kind: "addresses", version, first: number, last: to.number } : undefined;
  }
  const bits = version === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : prefixLength(prefix);
  if (length === undefined || length > bits) return undefined;
  const size = 1n << BigInt(bits - length);
  const first = number - (number % size);
  return { kind: "addresses", version, first, last: first + size - 1n };
}

/** Of `24` or `255.255.255.0`; undefined for a mask that is no prefix. */
function prefixLength(text: string): number | undefined {
  if (/^\d+$/u.test(text)) return Number(text);
  const mask = addressNumber(text);
  if (mask === undefined) return undefined;
  const binary = mask.number.toString(2).padStart(mask.version === 4 ? 32 : 128, "0");
  return /^1*0*$/u.test(binary) ? binary.replaceAll("0", "").length : undefined;
}
