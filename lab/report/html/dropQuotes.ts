import { z } from "zod";
import type { LoggedPacket } from "../../evidence/observation.ts";
import type { Run } from "../../evidence/run.ts";
import type { Drops } from "../../evidence/timeline.ts";
import { loggedSince } from "../../judge/loggedPackets.ts";
import { conntrackText, protocolOf, reversed, tupleText } from "../../judge/tuples.ts";
import type { FlowFigures } from "../../judge/figures.ts";
import { canonicalAddress } from "../../topology/address.ts";
import { excerpt, type Quote, type QuotedLine } from "./quote.ts";
import type { RunStory, TransitionStory } from "./runInput.ts";
import { sinceFault } from "./timelineWords.ts";

const mostLines = 8;

/** What never came out by the taps, the kernel's own lines of dropped packets of flows, and the rules whose counters grew. */
export async function dropQuotes({ figures, read, run }: RunStory, here: TransitionStory): Promise<Quote[]> {
  const { before, after, to, phase, fault } = here.transition;
  return [
    ...run.drops.filter((drops) => drops.phase === phase).flatMap((drops) => tapQuote(drops, fault.atMs, run)),
    ...(await packetQuotes(fallenPackets(figures, here), read, after.firewalls[to]?.loggedPackets)),
    ...(await ruleQuotes(read, before.firewalls[to]?.dropCounters, after.firewalls[to]?.dropCounters)),
  ];
}

function tapQuote({ firewall, flows, answered }: Drops, faultMs: number, { capture }: Run): Quote[] {
  const file = capture === undefined || capture === "off" ? "run.json" : capture.file;
  const dropped = flows.toSorted((a, b) => b.packets - a.packets).slice(0, mostLines).map(({ id, direction, packets, moment, firstAtMs }) => ({ text: `${id} ${direction}: ${packets} packets, ${moment}, the first at ${sinceFault(firstAtMs, faultMs)}`, marked: true }));
  const replies = answered.slice(0, mostLines).map(({ id, direction, what, packets, firstAtMs }) => ({ text: `${id} ${direction}: answered with ${packets} ${what}, the first at ${sinceFault(firstAtMs, faultMs)}`, marked: true }));
  const lines = [...dropped, ...replies];
  return lines.length === 0 ? [] : [{ file, shows: `What went into ${firewall} by one tap and never came out by another, and what it answered itself, by the capture`, lines }];
}

type Views = RunStory["transitions"][number]["transition"]["after"]["firewalls"][string];

/** A packet of a flow that the kernel logged as dropped. */
interface FallenPacket {
  readonly packet: LoggedPacket;
  /** The flow. */
  readonly owner: string;
}

/** Packets of flows that the survivor's kernel logged as dropped in a transition, by its own log. */
export function fallenPackets(figures: readonly FlowFigures[], { transition: { before, after, to } }: TransitionStory): FallenPacket[] {
  const [first, last] = [before, after].map((observation) => observation.firewalls[to]?.loggedPackets);
  if (last?.ok !== true) return [];
  const owners = new Map(figures.flatMap(({ flow }) => [flow.tuple, reversed(flow.tuple), flow.natTuple, reversed(flow.natTuple)].map((tuple) => [tupleText(protocolOf(flow), tuple), flow.id] as const)));
  return loggedSince(first?.ok === true ? first.data : [], last.data).flatMap((packet) => {
    const owner = owners.get(conntrackText(packet.protocol, packet));
    return owner === undefined ? [] : [{ packet, owner }];
  });
}

async function packetQuotes(fallen: readonly FallenPacket[], read: RunStory["read"], after?: Views["loggedPackets"]): Promise<Quote[]> {
  const text = fallen.length === 0 || after === undefined ? undefined : await read(after.source);
  if (text === undefined || after === undefined) return [];
  const numbered = text.split("\n").map((line, index) => ({ line, number: index + 1 }));
  const lines = fallen.slice(0, mostLines).flatMap(({ packet, owner }): QuotedLine[] => {
    const found = numbered.find(({ line }) => isOf(line, packet));
    return found === undefined ? [] : [{ text: `${owner}: ${excerpt(found.line.replace(/ MAC=\S+/u, ""), "SRC=")}`, number: found.number, marked: true }];
  });
  const more = fallen.length - lines.length;
  return [{ file: after.source, shows: `The kernel's log of dropped packets of flows (${fallen.length}${more > 0 ? `, the first ${lines.length} of them` : ""}), each with its flow`, lines }];
}

/** The kernel writes IPv6 addresses with all their zeros. */
function isOf(line: string, { uptimeSeconds, prefix, source, destination, sourcePort }: LoggedPacket): boolean {
  const [, from = "", to = ""] = / SRC=(\S+) DST=(\S+) /u.exec(line) ?? [];
  const sameEnds = canonicalAddress(from) === source && canonicalAddress(to) === destination;
  return sameEnds && line.includes(uptimeSeconds.toFixed(6)) && line.includes(prefix.trim()) && (sourcePort === undefined || line.includes(`SPT=${sourcePort} `));
}

const ruleset = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });
const commented = z.object({ comment: z.string() });

async function ruleQuotes(read: RunStory["read"], before?: Views["dropCounters"], after?: Views["dropCounters"]): Promise<Quote[]> {
  if (after?.ok !== true) return [];
  const earlier = before?.ok === true ? before.data : [];
  const grown = after.data.flatMap(({ rule, packets }) => {
    const by = packets - (earlier.find((counter) => counter.rule === rule)?.packets ?? 0);
    return by > 0 ? [{ rule, by }] : [];
  });
  const text = grown.length === 0 ? undefined : await read(after.source);
  if (text === undefined) return [];
  const lines = grown.slice(0, mostLines).flatMap(({ rule, by }): QuotedLine[] => {
    const own = ruleText(text, rule);
    return own === undefined ? [] : [{ text: `+${by} packets: ${own}`, marked: true }];
  });
  return lines.length === 0 ? [] : [{ file: after.source, shows: "The rules whose drop counters grew", lines }];
}

/** A rule as its ruleset has it: by its comment in nft's JSON, else the line that names it. */
function ruleText(text: string, rule: string): string | undefined {
  const line = text.split("\n").find((each) => each.includes(rule));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return line === undefined ? undefined : excerpt(line, rule);
  }
  const parsed = ruleset.safeParse(json);
  const own = parsed.success ? parsed.data.nftables.map((object) => object["rule"]).find((each) => commented.safeParse(each).data?.comment === rule) : undefined;
  return own === undefined ? (line === undefined ? undefined : excerpt(line, rule)) : JSON.stringify(own).slice(0, 600);
}
