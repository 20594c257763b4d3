import type { CapturePoint } from "../evidence/capture.ts";

/** What dumpcap says of one interface when it ends. Received is what it wrote to the file; all that is lost stands in the brackets. */
const countLine =
  /^Packets received\/dropped on interface '(?<name>[^']+)': (?<received>\d+)\/\d+ \(pcap:(?<pcap>\d+)\/dumpcap:(?<dumpcap>\d+)\/flushed:(?<flushed>\d+)\/ps_ifdrop:(?<interface>\d+)\)/gmu;

/** What dumpcap counted at one interface: `flushed` frames were there when it was told to end, and are not in the file; some of them count as `packets`. */
export interface CountedPoint extends CapturePoint {
  readonly flushed: number;
}

/** What dumpcap counted, and why that cannot be the whole of it. */
export interface DumpcapCounts {
  readonly points: CountedPoint[];
  readonly problem: string | undefined;
}

/**
 * Reads what dumpcap printed (its stderr, from version 4.0 on). Whatever was lost counts as dropped, whoever lost it: the kernel for want of buffer, dumpcap's own
 * queue, the interface. Source: dumpcap.c, report_packet_drops and the callbacks that count.
 */
export function readCounts(output: string, interfaces: readonly string[]): DumpcapCounts {
  const counted = new Map<string, CountedPoint>();
  for (const { groups } of output.matchAll(countLine)) {
    const count = (name: string) => Number(groups?.[name]);
    const dropped = count("pcap") + count("dumpcap") + count("interface");
    counted.set(groups?.["name"] ?? "", { interface: groups?.["name"] ?? "", packets: count("received"), dropped, flushed: count("flushed") });
  }
  const points = interfaces.map((name) => counted.get(name)).filter((point) => point !== undefined);
  const missing = interfaces.filter((name) => !counted.has(name));
  if (missing.length > 0) return { points, problem: `dumpcap told no counts of ${missing.join(", ")}` };
  const written = /^Packets captured: (\d+)$/mu.exec(output)?.[1];
  const sum = points.reduce((all, { packets }) => all + packets, 0);
  const flushed = points.reduce((all, point) => all + point.flushed, 0);
  const isWhole = written !== undefined && Number(written) <= sum && Number(written) >= sum - flushed;
  return { points, problem: isWhole ? undefined : `dumpcap wrote ${written ?? "an untold number of"} packets, and received ${sum}` };
}

/**
 * What is in dumpcap's file, at each point. What it flushed when it was told to end is not; where it was seen to have written all that came before, that came after
 * the capture's end, else it counts as dropped.
 * @param frames how many of each point are in the file: needed where anything was flushed.
 */
export function pointsInFile({ points, problem }: DumpcapCounts, frames: ReadonlyMap<string, number> | undefined, allWritten: boolean): { readonly points: CapturePoint[]; readonly problem: string | undefined } {
  const inFile = ({ interface: name, packets }: Pick<CapturePoint, "interface" | "packets">): number => (frames === undefined ? packets : (frames.get(name) ?? 0));
  const other = points.find((point) => inFile(point) > point.packets || inFile(point) < point.packets - point.flushed);
  return {
    points: points.map(({ flushed, dropped, ...point }) => ({ ...point, packets: inFile(point), dropped: allWritten ? dropped : dropped + flushed })),
    problem: problem ?? (other === undefined ? undefined : `dumpcap wrote ${inFile(other)} packets of ${other.interface}, received ${other.packets} and flushed ${other.flushed}`),
  };
}

/** The last thing that dumpcap said of itself, without what it says whenever it starts. */
export function lastWord(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !/^(?:Running as user|Capturing on|File:) /u.test(line));
  return lines.at(-1) ?? "it said nothing";
}
