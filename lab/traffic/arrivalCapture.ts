import { randomUUID } from "node:crypto";
import { isIPv6 } from "node:net";
import { exitCode, Failure } from "../failure/failure.ts";
import type { MachineShell } from "../machine/shell.ts";

export interface ArrivalCaptureOptions {
  /** The machine's own address. */
  readonly address: string;
  /** TCP ports whose opening segments are captured. */
  readonly ports: readonly number[];
  /** UDP ports whose datagrams are captured. */
  readonly datagramPorts?: readonly number[];
  /** Sequence number by which forged segments are known, whatever NAT made of their ports. */
  readonly sequence: number;
  readonly signal: AbortSignal;
}

/** What a capture saw arrive at a machine. */
export interface Arrivals {
  /** Segments with the forged sequence number. */
  readonly forged: number;
  /** Segments that open a connection (SYN without ACK) to a port. */
  openings(port: number): number;
  /** Datagrams to a port. */
  datagrams(port: number): number;
}

export interface ArrivalCapture {
  /** Ends the capture and counts. @throws Failure when tcpdump failed, or dropped packets itself. */
  stop(signal: AbortSignal): Promise<Arrivals>;
}

/**
 * Lines of `tcpdump -n -S`: `IP 192.168.1.100.40001 > 192.168.1.3.7: Flags [P.], seq 100:106, ack 1, …` (`IP6 2001:db8::3.40001 > …`); a datagram's has no flags, and what is told
 * of it depends on the port. @throws Failure for another.
 */
export function parseArrivals(lines: string, sequence: number): Arrivals {
  const segments = lines
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const match = /> [\da-f.:]+\.(?<port>\d+): (?:Flags \[(?<flags>[^\]]*)\], (?:cksum [^,]*, )?seq (?<seq>\d+)|(?!Flags)\S)/u.exec(line)?.groups;
      if (match === undefined) throw captureFailure("read the capture", `tcpdump printed: ${line.slice(0, 200)}`);
      const { port, flags, seq } = match;
      const kind = flags === undefined ? "datagram" : flags === "S" || flags === "SEW" ? "opening" : "other";
      return { port: Number(port), kind, forged: seq !== undefined && Number(seq) === sequence };
    });
  return {
    forged: segments.filter((segment) => segment.forged).length,
    openings: (port) => segments.filter((segment) => segment.kind === "opening" && segment.port === port).length,
    datagrams: (port) => segments.filter((segment) => segment.kind === "datagram" && segment.port === port).length,
  };
}

function captureFailure(tried: string, seen: string): Failure {
  return new Failure({ tried, seen, remedy: "Run tcpdump there by hand: without this capture, nothing is known of what arrived", exit: exitCode.invalid });
}

/**
 * Captures on a machine, with tcpdump, what opens connections to its ports and what was forged. Resolves when the capture runs.
 * @throws Failure when tcpdump does not start.
 */
export async function startArrivalCapture(shell: MachineShell, { address, ports, datagramPorts = [], sequence, signal }: ArrivalCaptureOptions): Promise<ArrivalCapture> {
  const stem = `/run/fwlab/arrivals-${randomUUID()}`;
  // tcp[…] is IPv4's only. Nothing on the lab's bridges puts other headers between IPv6's, which has 40 bytes, and TCP's.
  const tcpAt = (offset: number, bytes: number): string => (isIPv6(address) ? `tcp and ip6[${40 + offset}:${bytes}]` : `tcp[${offset}:${bytes}]`);
  const flags = `${tcpAt(13, 1)} & (tcp-syn|tcp-ack)`;
  const wanted = [
    ...ports.map((port) => `(${flags} == tcp-syn and dst port ${port})`),
    ...datagramPorts.map((port) => `udp dst port ${port}`),
    `(${tcpAt(4, 4)} = ${sequence})`,
  ];
  const filter = `dst host ${address} and (${wanted.join(" or ")})`;
  // Without immediate mode the kernel hands packets over when a second is up, and those of the last one are lost when tcpdump is told to end.
  // In it, each packet has a place of the snap length: of whole packets only eight would fit.
  const pid = await shell.must(
    `tcpdump --immediate-mode -s 160 -U -n -i any -Q in -w ${stem}.pcap '${filter}' </dev/null >/dev/null 2>${stem}.err & pid=$!; ` +
      `for try in $(seq 100); do grep -q 'listening on' ${stem}.err && { echo $pid; exit 0; }; sleep 0.1; done; cat ${stem}.err >&2; exit 1`,
    { signal },
  );
  return {
    async stop(stopSignal) {
      const output = await shell.must(
        `kill -INT ${pid.trim()}; for try in $(seq 100); do grep -q 'dropped by kernel' ${stem}.err && break; sleep 0.1; done; ` +
          `grep 'dropped by kernel' ${stem}.err || { cat ${stem}.err >&2; exit 1; }; tcpdump -t -n -S -r ${stem}.pcap 2>/dev/null; rm -f ${stem}.pcap ${stem}.err`,
        { signal: stopSignal },
      );
      const [dropped = "", ...lines] = output.split("\n");
      if (!dropped.startsWith("0 packets dropped")) throw captureFailure(`capture on ${shell.name}`, `tcpdump: ${dropped}`);
      return parseArrivals(lines.join("\n"), sequence);
    },
  };
}
