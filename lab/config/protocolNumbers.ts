/** Names of /etc/protocols that rulesets are written with (IANA, Assigned Internet Protocol Numbers). */
const numbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipencap: 4,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  "ipv6-icmp": 58,
  ospf: 89,
  ospfigp: 89,
  pim: 103,
  vrrp: 112,
  carp: 112,
  sctp: 132,
  udplite: 136,
};

/** An IP protocol's number by name or digits; undefined where the name is not known here. */
export function protocolNumber(text: string): number | undefined {
  return /^\d+$/u.test(text) ? Number(text) : numbers[text.toLowerCase()];
}
