/**
 * Packets as they are decoded from a run's capture. They are no part of `evidence.json`: the capture itself is in the bundle, and is decoded again
 * whenever the run is judged.
 */

/** TCP's flags as bits (RFC 9293, 3.1). */
export const tcpFlag = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

interface IpPacket {
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  /** IPv4's identification: a router leaves it as it is, and a retransmission has another. Undefined for IPv6, which has none. */
  readonly ipId: number | undefined;
}

export interface TcpBody extends IpPacket {
  readonly kind: "tcp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Sequence and acknowledgement numbers as they are on the wire. */
  readonly seq: number;
  readonly ack: number;
  /** Bits of `tcpFlag`. */
  readonly flags: number;
  /**
   * Over IPv6 only, where there is one: the sender's clock in TCP's timestamp option (RFC 7323, 3.2), in its own ticks. A router leaves it as it is, NAT or
   * not, and a retransmission has a later one: it does what IPv4's identification does.
   */
  readonly timestamp?: number;
  /** Bytes of data, also those beyond what the capture kept. */
  readonly payloadBytes: number;
}

export interface UdpBody extends IpPacket {
  readonly kind: "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payloadBytes: number;
  /** Our own record in it. Undefined for datagrams that are none of ours. */
  readonly record: { readonly direction: "forward" | "reverse"; readonly seq: number; readonly probe: boolean } | undefined;
}

export interface IcmpBody extends IpPacket {
  readonly kind: "icmp";
  readonly type: number;
  readonly code: number;
  /** Of an ICMP error: the packet that it is about. */
  readonly about:
    | {
        readonly protocol: number;
        readonly sourceAddress: string;
        readonly destinationAddress: string;
        readonly sourcePort: number | undefined;
        readonly destinationPort: number | undefined;
      }
    | undefined;
}

/** An advert of VRRP (RFC 5798, 5.1). */
export interface VrrpBody extends IpPacket {
  readonly kind: "vrrp";
  readonly routerId: number;
  readonly priority: number;
}

export interface ArpBody {
  readonly kind: "arp";
  readonly operation: "request" | "reply";
  readonly senderMac: string;
  readonly senderAddress: string;
  readonly targetAddress: string;
}

/** A neighbour advertisement (RFC 4861, 4.4): IPv6's answer where `target` is, or announcement of it. */
export interface AdvertisementBody {
  readonly kind: "advertisement";
  /** Where the target is said to be: the option's link-layer address, or the frame's own when it has none. */
  readonly targetMac: string;
  readonly targetAddress: string;
  /** Whether it answers a solicitation. */
  readonly solicited: boolean;
}

/** A frame at one point of the lab. */
export interface Packet {
  /** Milliseconds of the host's epoch clock, to the microsecond. */
  readonly atMs: number;
  /** The interface where it was captured: a bridge, or the tap of a machine's NIC (`tapName`). */
  readonly point: string;
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly body: TcpBody | UdpBody | IcmpBody | VrrpBody | ArpBody | AdvertisementBody;
}

/** A capture that has been decoded. */
export interface DecodedCapture {
  /** In the order of their times. Frames of other protocols are left out. */
  readonly packets: readonly Packet[];
  /** Frames of all protocols by the point where they were captured. */
  readonly frames: ReadonlyMap<string, number>;
}
