import type { AdvertisementBody, ArpBody, IcmpBody, Packet, TcpBody, UdpBody, VrrpBody } from "../evidence/packet.ts";
import { ofProbe, readRecord, recordSize, reverse } from "../traffic/agent/record.ts";

/** Fields that tshark is asked for, in the order of its columns. Of a field that comes several times it prints all, with commas between. */
const fields = [
  ...["frame.time_epoch", "frame.interface_name", "frame.protocols", "eth.src", "eth.dst"],
  ...["ip.src", "ip.dst", "ip.id", "ip.proto", "ipv6.src", "ipv6.dst", "ipv6.nxt"],
  ...["tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len", "tcp.options.timestamp.tsval"],
  ...["udp.srcport", "udp.dstport", "udp.length", "udp.payload"],
  ...["icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code"],
  ...["vrrp.virt_rtr_id", "vrrp.prio"],
  ...["icmpv6.nd.na.target_address", "icmpv6.nd.na.flag.s", "icmpv6.opt.target_linkaddr"],
  ...["arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.proto_ipv4"],
] as const;
type Field = (typeof fields)[number];
const columnOf = Object.fromEntries(fields.map((field, column) => [field, column])) as Readonly<Record<Field, number>>;

/**
 * tshark's arguments that make it print a row of `fields` for each packet on its stdin. Nothing that follows a connection over several packets:
 * that takes time, and the lines of one connection may be dealt to several tsharks. No protocol above TCP and UDP is read: it could only
 * be guessed from ports.
 */
export const tsharkArguments: readonly string[] = [
  ...["-n", "-r", "-", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"],
  ...["-d", "tcp.port==1-65535,data", "-d", "udp.port==1-65535,data"],
  ...[
    ...["tcp.analyze_sequence_numbers", "tcp.relative_sequence_numbers", "tcp.desegment_tcp_streams", "tcp.calculate_timestamps", "tcp.check_checksum"],
    ...["tcp.summary_in_tree", "ip.summary_in_tree", "ip.defragment", "ipv6.defragment", "udp.process_info"],
  ].flatMap((preference) => ["-o", `${preference}:FALSE`]),
  ...fields.flatMap((field) => ["-e", field]),
];

/** What a row says. `packet` is undefined for a frame of a protocol that `Packet` has no body for. */
export interface DecodedRow {
  readonly point: string;
  readonly packet: Packet | undefined;
}

/** Headers that may stand between an IP header and what it carries: IPv6's extension headers, and the authentication header. */
const betweenHeaders = new Set(["ipv6.hopopts", "ipv6.routing", "ipv6.dstopts", "ipv6.fraghdr", "ah"]);
const arpOperations: Readonly<Record<string, ArpBody["operation"]>> = { "1": "request", "2": "reply" };
/** ICMPv6's number of neighbour advertisements (RFC 4861, 4.4). */
const neighbourAdvertisement = "136";
const recordStart = "66776c31";

/** What a frame is made of, outermost first: the network's protocol, what that carries, and what comes after it. */
interface Layers {
  readonly version: "ip" | "ipv6" | "arp" | undefined;
  readonly carried: string | undefined;
  readonly quoted: readonly string[];
}

function layersIn(protocols: readonly string[]): Layers {
  const version = protocols.find((name) => name === "ip" || name === "ipv6" || name === "arp");
  const above = version === undefined ? [] : protocols.slice(protocols.indexOf(version) + 1);
  const at = above.findIndex((name) => !betweenHeaders.has(name));
  return { version, carried: above[at], quoted: above.slice(at + 1) };
}

/** Reads tshark's rows. Equal addresses and names are one string each, so that rows do not hold on to the text that they came in. */
export class RowReader {
  readonly #known = new Map<string, string>();
  readonly #layers = new Map<string, Layers>();

  /** @throws RangeError that quotes the row, when it is not what `tsharkArguments` ask for. */
  read(line: string): DecodedRow {
    const row = line.split("\t");
    if (row.length !== fields.length) throw new RangeError(`a row of ${row.length} columns instead of ${fields.length}: ${line.slice(0, 200)}`);
    try {
      return this.#decoded(row);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`${error.message} in the row ${row.filter((column) => column !== "").join(" ").slice(0, 200)}`, { cause: error });
    }
  }

  #decoded(row: readonly string[]): DecodedRow {
    const point = this.#text(row, "frame.interface_name");
    const body = this.#body(row);
    if (body === undefined) return { point, packet: undefined };
    const packet = { atMs: epochMs(row[columnOf["frame.time_epoch"]] ?? ""), point, sourceMac: this.#text(row, "eth.src"), destinationMac: this.#text(row, "eth.dst"), body };
    return { point, packet };
  }

  #body(row: readonly string[]): Packet["body"] | undefined {
    const { version, carried, quoted } = this.#layersOf(row[columnOf["frame.protocols"]] ?? "");
    if (version === "arp") return this.#arp(row);
    if (version === undefined) return undefined;
    switch (carried) {
      case "tcp":
        return this.#tcp(row, version);
      case "udp":
        return this.#udp(row, version);
      case "icmpv6":
        return row[columnOf["icmpv6.type"]] === neighbourAdvertisement ? this.#advertisement(row) : this.#icmp(row, version, carried, quoted);
      case "icmp":
        return this.#icmp(row, version, carried, quoted);
      case "vrrp":
        return this.#vrrp(row, version);
      case undefined:
      default:
        return undefined;
    }
  }

  /** A capture has a handful of these. */
  #layersOf(protocols: string): Layers {
    const known = this.#layers.get(protocols);
    if (known !== undefined) return known;
    const layers = layersIn(protocols.split(":"));
    this.#layers.set(protocols, layers);
    return layers;
  }

  /** Addresses of the `nth` IP header. */
  #addresses(row: readonly string[], version: "ip" | "ipv6", nth = 0) {
    return { sourceAddress: this.#text(row, `${version}.src`, nth), destinationAddress: this.#text(row, `${version}.dst`, nth) };
  }

  #ip(row: readonly string[], version: "ip" | "ipv6") {
    return { ...this.#addresses(row, version), ipId: version === "ip" ? number(row, "ip.id") : undefined };
  }

  #tcp(row: readonly string[], version: "ip" | "ipv6"): TcpBody {
    const stamped = version === "ipv6" && row[columnOf["tcp.options.timestamp.tsval"]] !== "";
    return {
      kind: "tcp",
      ...this.#ip(row, version),
      sourcePort: number(row, "tcp.srcport"),
      destinationPort: number(row, "tcp.dstport"),
      seq: number(row, "tcp.seq_raw"),
      ack: number(row, "tcp.ack_raw"),
      flags: number(row, "tcp.flags"),
      payloadBytes: number(row, "tcp.len"),
      ...(stamped && { timestamp: number(row, "tcp.options.timestamp.tsval") }),
    };
  }

  #udp(row: readonly string[], version: "ip" | "ipv6"): UdpBody {
    return {
      kind: "udp",
      ...this.#ip(row, version),
      sourcePort: number(row, "udp.srcport"),
      destinationPort: number(row, "udp.dstport"),
      // The length of a datagram counts its header (RFC 768).
      payloadBytes: number(row, "udp.length") - 8,
      record: recordOf(row[columnOf["udp.payload"]] ?? ""),
    };
  }

  #icmp(row: readonly string[], version: "ip" | "ipv6", name: "icmp" | "icmpv6", quoted: readonly string[]): IcmpBody {
    const body = { kind: "icmp" as const, ...this.#ip(row, version), type: number(row, `${name}.type`), code: number(row, `${name}.code`) };
    // An error quotes the packet that it is about, from its IP header on (RFC 792, RFC 4443).
    if (quoted[0] !== version) return { ...body, about: undefined };
    const carried = quoted.slice(1).find((inner) => !betweenHeaders.has(inner));
    const ports =
      carried === "tcp" || carried === "udp"
        ? { sourcePort: number(row, `${carried}.srcport`), destinationPort: number(row, `${carried}.dstport`) }
        : { sourcePort: undefined, destinationPort: undefined };
    return { ...body, about: { protocol: number(row, version === "ip" ? "ip.proto" : "ipv6.nxt", 1), ...this.#addresses(row, version, 1), ...ports } };
  }

  #vrrp(row: readonly string[], version: "ip" | "ipv6"): VrrpBody {
    return { kind: "vrrp", ...this.#ip(row, version), routerId: number(row, "vrrp.virt_rtr_id"), priority: number(row, "vrrp.prio") };
  }

  #advertisement(row: readonly string[]): AdvertisementBody {
    return {
      kind: "advertisement",
      targetMac: this.#text(row, row[columnOf["icmpv6.opt.target_linkaddr"]] === "" ? "eth.src" : "icmpv6.opt.target_linkaddr"),
      targetAddress: this.#text(row, "icmpv6.nd.na.target_address"),
      solicited: number(row, "icmpv6.nd.na.flag.s") === 1,
    };
  }

  /** Undefined for what is no ARP but looks like it: RARP, as QEMU's announcements of a restored machine. */
  #arp(row: readonly string[]): ArpBody | undefined {
    const operation = arpOperations[row[columnOf["arp.opcode"]] ?? ""];
    if (operation === undefined) return undefined;
    return {
      kind: "arp",
      operation,
      senderMac: this.#text(row, "arp.src.hw_mac"),
      senderAddress: this.#text(row, "arp.src.proto_ipv4"),
      targetAddress: this.#text(row, "arp.dst.proto_ipv4"),
    };
  }

  #text(row: readonly string[], field: Field, nth = 0): string {
    const value = valueOf(row, field, nth);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    this.#known.set(value, value);
    return value;
  }
}

/** The `nth` value of a field. @throws RangeError when there is none. */
function valueOf(row: readonly string[], field: Field, nth: number): string {
  const column = row[columnOf[field]] ?? "";
  const value = nth === 0 && !column.includes(",") ? column : column.split(",")[nth];
  if (value === undefined || value === "") throw new RangeError(`no ${field}`);
  return value;
}

/** As valueOf, decimal or with 0x. @throws RangeError when it is no whole number from 0 on. */
function number(row: readonly string[], field: Field, nth = 0): number {
  const value = Number(valueOf(row, field, nth));
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${field} is no number`);
  return value;
}

/** Seconds with their fraction, as milliseconds to the microsecond. */
function epochMs(text: string): number {
  const match = /^(\d{1,12})\.(\d{6})\d*$/u.exec(text);
  if (match === null) throw new RangeError(`frame.time_epoch ${text} is no time`);
  return Number(match[1]) * 1000 + Number(match[2]) / 1000;
}

/** Our own record, when the whole of it is what its sender writes. */
function recordOf(payload: string): UdpBody["record"] {
  if (!payload.startsWith(recordStart) || payload.length < 2 * recordSize) return undefined;
  const header = readRecord(Buffer.from(payload.slice(0, 2 * recordSize), "hex"), 0);
  return header && { direction: header.direction === reverse ? "reverse" : "forward", seq: header.seq, probe: header.purpose === ofProbe };
}
