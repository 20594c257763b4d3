import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from "node:net";

/**
 * An address in the one text that equal addresses share: IPv6 as RFC 5952 has it (short, lower case), all else as it is. Tools differ: the kernel's log
 * writes all zeros of an IPv6 address, an administrator may write some.
 */
export function canonicalAddress(address: string): string {
  return isIPv6(address) && !address.includes("%") ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

/** The bytes of an address in network order: 4 or 16. @throws RangeError for what is no address. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (!isIPv6(address) || address.includes("%")) throw new RangeError(`not an IP address: ${address}`);
  const [head = "", tail] = canonicalAddress(address).split("::");
  const groups = (part: string | undefined): number[] => (part === undefined || part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail)];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of before.entries()) bytes.writeUInt16BE(group, 2 * index);
  for (const [index, group] of after.entries()) bytes.writeUInt16BE(group, 16 - 2 * (after.length - index));
  return bytes;
}

/** An address and a port as they are written together: IPv6 in brackets (RFC 3986, 3.2.2). */
export function addressWithPort(address: string, port: number | string): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An address without prefix in the one way to write it; undefined when it is none. */
export function canonical(text: string): string | undefined {
  const address = text.replace(/\/\d+$/u, "");
  const family = isIP(address);
  return family === 0 ? undefined : new SocketAddress({ address, family: family === 4 ? "ipv4" : "ipv6" }).address;
}

/** Whether a network, or a single address, holds an address. */
export function covers(network: string, address: string): boolean {
  const base = canonical(network);
  const inside = canonical(address);
  if (base === undefined || inside === undefined || isIP(base) !== isIP(inside)) return false;
  const prefix = /\/(\d+)$/u.exec(network)?.[1];
  const family = isIP(base) === 4 ? "ipv4" : "ipv6";
  const bits = prefix === undefined ? undefined : Number(prefix);
  if (bits !== undefined && bits > (family === "ipv4" ? 32 : 128)) return false;
  const list = new BlockList();
  if (bits === undefined) list.addAddress(base, family);
  else list.addSubnet(base, bits, family);
  return list.check(inside, family);
}
