import { exitCode, Failure } from "../failure/failure.ts";

/** Asks a machine for its kernel's counters of UDP, over IPv4 and, where it has that, over IPv6. */
export const udpCountersCommand = "cat /proc/net/snmp; if [ -e /proc/net/snmp6 ]; then cat /proc/net/snmp6; fi";

/**
 * How many datagrams a machine's kernel has dropped so far because nobody read them from their socket in time: its buffer was full.
 * @throws Failure when the answer has no such counter. Source: RcvbufErrors, net/ipv4/proc.c (snmp4_udp_list) and net/ipv6/proc.c (snmp6_udp6_list).
 */
export function parseUnreadDatagrams(text: string): number {
  const [names, values] = text
    .split("\n")
    .filter((line) => line.startsWith("Udp: "))
    .map((line) => line.split(/\s+/u));
  const v4 = Number(values?.[names?.indexOf("RcvbufErrors") ?? -1]);
  const v6 = Number(/^Udp6RcvbufErrors\s+(\d+)$/mu.exec(text)?.[1] ?? 0);
  if (!Number.isInteger(v4)) {
    throw new Failure({ tried: "read the counter Udp RcvbufErrors out of /proc/net/snmp", seen: JSON.stringify(text.slice(0, 200)), remedy: "The guest's kernel should be Linux 2.6 or newer", exit: exitCode.invalid });
  }
  return v4 + v6;
}
