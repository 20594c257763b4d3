import type { CapturePoint } from "../evidence/capture.ts";

/** What dumpcap says of one interface when it ends. Received is what it wrote to the file; all that is lost stands in the brackets. */
const countLine =
  /^Packets received\/dropped on interface '(?<name>[^']+)': (?<received>\d+)\/\d+ \(pcap:(?<pcap>\d+)\/dumpcap:(?<dumpcap>\d+)\/flushed:(?<flushed>\d+)\/ps_ifdrop:(?<interface>\d+)\)/gmu;

/** What dumpcap counted, and why that cannot be the whole of it. */
export interface DumpcapCounts {
  readonly points: CapturePoint[];
  readonly problem: string | undefined;
}

/**
 * Reads what dumpcap printed (its stderr, from version 4.0 on). Whatever was lost counts as dropped, whoever lost it: the kernel for want of buffer, dumpcap's own
 * queue, what was flushed at the end, the interface.
 */
export function readCounts(output: string, interfaces: readonly string[]): DumpcapCounts {
  const counted = new Map<string, CapturePoint>();
  for (const { groups } of output.matchAll(countLine)) {
    const count = (name: string) => Number(groups?.[name]);
    const dropped = count("pcap") + count("dumpcap") + count("flushed") + count("interface");
    counted.set(groups?.["name"] ?? "", { interface: groups?.["name"] ?? "", packets: count("received"), dropped });
  }
  const points = interfaces.map((name) => counted.get(name)).filter((point) => point !== undefined);
  const missing = interfaces.filter((name) => !counted.has(name));
  if (missing.length > 0) return { points, problem: `dumpcap told no counts of ${missing.join(", ")}` };
  const written = /^Packets captured: (\d+)$/mu.exec(output)?.[1];
  const sum = points.reduce((all, { packets }) => all + packets, 0);
  return { points, problem: written === String(sum) ? undefined : `dumpcap wrote ${written ?? "an untold number of"} packets, and received ${sum}` };
}

/** The last thing that dumpcap said of itself, without what it says whenever it starts. */
export function lastWord(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !/^(?:Running as user|Capturing on|File:) /u.test(line));
  return lines.at(-1) ?? "it said nothing";
}
