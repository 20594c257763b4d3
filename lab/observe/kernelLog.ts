import { loggedPacketSchema, type LoggedPacket } from "../evidence/observation.ts";
import { canonicalAddress } from "../topology/address.ts";
import { checked, unreadable } from "./parsed.ts";

/** Words without a value that nf_log_syslog writes for TCP; `CWR`… are header flags, the rest of a line's bare words are the IP header's. */
const tcpFlags = new Set(["CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"]);

/**
 * Packets that the ruleset logged, out of `dmesg`. Lines of other parts of the kernel are not packets and are left out.
 * A packet quoted inside an ICMP error (`[SRC=… ]`) is not taken for the packet itself. The prefix is all that stands before `IN=`.
 * @throws Failure on a line that is a packet's but does not parse.
 * The kernel writes IPv6 addresses with all their zeros; they are given as every other view has them.
 * Source: Linux net/netfilter/nf_log_syslog.c (dump_ipv4_packet, dump_ipv6_packet, dump_tcp_header); dmesg(1).
 */
export function parseKernelLog(text: string): LoggedPacket[] {
  return text
    .split("\n")
    .filter((line) => /IN=\S* OUT=/u.test(line))
    .map(parseLine);
}

function parseLine(line: string): LoggedPacket {
  const [, uptime, prefix, body] = /^(?:<\d+>)?\[\s*(\d+\.\d+)\]\s?(.*?)(IN=\S* OUT=.*)$/u.exec(line) ?? [];
  if (uptime === undefined || prefix === undefined || body === undefined) throw unreadable("dmesg", "no uptime before a logged packet", line);
  const fields = new Map<string, string>();
  const flags: string[] = [];
  for (const word of withoutQuotedPacket(body).trim().split(/\s+/u)) {
    const equals = word.indexOf("=");
    if (equals === -1) {
      if (tcpFlags.has(word)) flags.push(word);
    } else if (!fields.has(word.slice(0, equals))) fields.set(word.slice(0, equals), word.slice(equals + 1));
  }
  const sourcePort = fields.get("SPT");
  const destinationPort = fields.get("DPT");
  const packet = {
    uptimeSeconds: Number(uptime),
    prefix,
    protocol: fields.get("PROTO")?.toLowerCase(),
    inNic: fields.get("IN"),
    outNic: fields.get("OUT"),
    source: addressIn(fields, "SRC"),
    destination: addressIn(fields, "DST"),
    ...(sourcePort !== undefined && { sourcePort: Number(sourcePort) }),
    ...(destinationPort !== undefined && { destinationPort: Number(destinationPort) }),
    flags,
  };
  return checked("dmesg", loggedPacketSchema, packet, line);
}

function addressIn(fields: ReadonlyMap<string, string>, name: string): string | undefined {
  const address = fields.get(name);
  return address === undefined ? undefined : canonicalAddress(address);
}

/** Cuts from the first `[SRC=` to its closing bracket: ICMP errors quote the packet that they answer, and may nest. */
function withoutQuotedPacket(body: string): string {
  const start = body.indexOf("[SRC=");
  if (start === -1) return body;
  let depth = 0;
  for (let index = start; index < body.length; index += 1) {
    if (body[index] === "[") depth += 1;
    else if (body[index] === "]") depth -= 1;
    if (depth === 0) return body.slice(0, start) + body.slice(index + 1);
  }
  return body.slice(0, start);
}
