import type { Act, DirectorTable } from "../evidence/sandwich.ts";
import type { LoggedPacket, Look } from "../evidence/observation.ts";
import type { Packet } from "../evidence/packet.ts";
import type { CheckResult } from "../evidence/run.ts";
import { firewallOf, type SandwichTopology } from "../topology/sandwich.ts";
import { carriersOf, type Carried } from "./carriers.ts";
import { concluded, type Found } from "./concluded.ts";
import { loggedSince } from "./loggedPackets.ts";
import { firstOf } from "./scene.ts";

/** What IPVS' schedulers promise: whether a client's address decides the firewall. Source: ipvsadm(8). */
const byAddress: Readonly<Record<string, boolean>> = { sh: true, mh: true, rr: false };

const noCapture = "the run has no capture";
const noConnection = "no connection went by any firewall";

/**
 * Judges one act of a sandwich's in which nothing was broken: every request was answered, both firewalls carried their share, every answer left by the firewall that its request
 * came by, and no firewall refused a packet. Pure: the same evidence gives the same results.
 */
export function judgeBalance(act: Act, topology: SandwichTopology, packets: readonly Packet[] | undefined): CheckResult[] {
  const carried = packets === undefined ? undefined : carriersOf(topology, packets, act);
  const checks: Record<string, Found> = {
    "requests-answered": requestsAnswered(act),
    "both-carry": bothCarry(act, topology, carried),
    "same-way-back": sameWayBack(carried),
    "no-rejects": noRejects(act),
  };
  return Object.entries(checks).map(([id, found]) => concluded(id, "run", found));
}

/** Whether every request was answered with its own bytes, and every connection that was to be held was. */
export function requestsAnswered({ load, held }: Act): Found {
  const { outcome } = load.requests;
  const kinds = [...counted(outcome)].filter(([kind]) => kind !== "ok");
  const wrong = kinds.map(([kind, count]) => `${count} of ${outcome.length} requests: ${kind}`);
  if (load.lost.length > 0) wrong.push(`${load.lost.length} held connections were lost, the first by ${load.lost[0]?.why ?? ""}`);
  if (load.held < held) wrong.push(`${load.held} of ${held} connections are held at the end`);
  return {
    measured: `${outcome.length} requests, ${outcome.length - (counted(outcome).get("ok") ?? 0)} not answered as they should be; ${load.held} of ${held} connections held`,
    allowed: "every request answered with its own bytes, every connection held",
    meaning: "no client saw an error",
    wrong,
    missing: outcome.length === 0 ? ["nobody asked for anything"] : [],
  };
}

function bothCarry({ before, after }: Act, topology: SandwichTopology, carried: readonly Carried[] | undefined): Found {
  const allowed = "each firewall its share by the director's scheduler; director and captures agree, connection by connection";
  const meaning = "the load went by both firewalls as the director shared it out";
  if (carried === undefined) return { measured: "nothing", allowed, meaning, wrong: [], missing: [noCapture] };
  if (!after.director.ok) return { measured: "nothing", allowed, meaning, wrong: [`the director does not tell whom it gave what: ${after.director.error}`] };
  const { scheduler } = after.director.data;
  const bySrc = byAddress[scheduler];
  if (bySrc === undefined) return { measured: `scheduler ${scheduler}`, allowed, meaning, wrong: [], missing: [`nobody knows what ${scheduler} promises`] };
  if (carried.length === 0) return { measured: "no connection", allowed, meaning, wrong: [noConnection] };
  const wrong: string[] = [];
  const begun = new Map(topology.firewalls.map((name) => [name, carried.filter(({ begunBy }) => begunBy === name).length]));
  const given = directed(before.director, after.director, topology);
  for (const [name, count] of begun) {
    const told = given?.get(name);
    const again = carried.filter((each) => each.begunBy === name && each.again).length;
    if (told === undefined || told > count || told < count - again) wrong.push(`${name} passed ${count} connections on by its captures, and was given ${told ?? "an unknown number of them"} by the director's word`);
  }
  if (bySrc) {
    const homes = new Map<string, Set<string>>();
    for (const { client, begunBy } of carried) homes.set(client, (homes.get(client) ?? new Set()).add(begunBy));
    const torn = [...homes].filter(([, names]) => names.size > 1);
    if (torn.length > 0) wrong.push(`${torn.length} clients were sent to several firewalls, ${torn[0]?.[0] ?? ""} among them, which ${scheduler} does not do`);
    wrong.push(...unevenShares(topology.firewalls, homes.size, (name) => [...homes.values()].filter((names) => names.has(name)).length, 4 * Math.sqrt(0.25 / homes.size), "clients"));
  } else {
    // Round robin counts connections, those of before the act among them: it may begin, and end, with either.
    wrong.push(...unevenShares(topology.firewalls, carried.length, (name) => begun.get(name) ?? 0, 2 / carried.length, "connections"));
  }
  return { measured: [...begun].map(([name, count]) => `${name} ${count} connections (director: ${given?.get(name) ?? "unknown"})`).join(", "), allowed, meaning, wrong };
}

function unevenShares(firewalls: readonly string[], all: number, countOf: (name: string) => number, tolerance: number, of: string): string[] {
  return firewalls.flatMap((name) => {
    const share = countOf(name) / all;
    return Math.abs(share - 1 / firewalls.length) > tolerance ? [`${name} has ${countOf(name)} of ${all} ${of}, which is no fair share`] : [];
  });
}

/** New connections that each firewall was given between two looks; undefined when a look failed. */
function directed(before: Look<DirectorTable>, after: Look<DirectorTable>, topology: SandwichTopology): ReadonlyMap<string, number> | undefined {
  if (!before.ok || !after.ok) return undefined;
  const counts = new Map<string, number>();
  for (const { address, connections } of after.data.servers) {
    const name = firewallOf(topology, address);
    const earlier = before.data.servers.find((server) => server.address === address)?.connections ?? 0;
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + connections - earlier);
  }
  return counts;
}

function sameWayBack(carried: readonly Carried[] | undefined): Found {
  const allowed = "each connection's answers to the firewall that passed its requests on, and to no other";
  const meaning = "every answer left by the firewall that its request came by";
  if (carried === undefined) return { measured: "nothing", allowed, meaning, wrong: [], missing: [noCapture] };
  if (carried.length === 0) return { measured: "no connection", allowed, meaning, wrong: [noConnection] };
  const answered = carried.filter(({ reverse }) => reverse.size > 0);
  const astray = answered.filter(({ forward, reverse }) => forward.size !== 1 || [...reverse.keys()].some((name) => !forward.has(name)));
  const unanswered = carried.length - answered.length;
  return {
    measured: `${astray.length} of ${carried.length} connections by two firewalls, ${unanswered} without an answer`,
    allowed,
    meaning,
    wrong: [
      ...(astray.length > 0 ? [`${astray.length} of ${carried.length} connections went by two firewalls: ${firstOf(astray.map(({ connection, forward, reverse }) => `${connection} there by ${names(forward)}, back by ${names(reverse)}`))}`] : []),
      ...(unanswered > 0 ? [`${unanswered} of ${carried.length} connections had no answer at any firewall`] : []),
    ],
  };
}

function names(counts: ReadonlyMap<string, number>): string {
  return [...counts.keys()].join(" and ");
}

function noRejects({ before, after }: Act): Found {
  const missing: string[] = [];
  const refused = Object.entries(after.logged).flatMap(([name, look]): [string, LoggedPacket][] => {
    const earlier = before.logged[name];
    if (!look.ok || earlier?.ok !== true) {
      missing.push(`${name}'s log was not read`);
      return [];
    }
    return loggedSince(earlier.data, look.data).map((packet) => [name, packet]);
  });
  return {
    measured: `${refused.length} packets logged as refused`,
    allowed: "none",
    meaning: "no firewall met a packet that belonged to nothing it knew",
    wrong: refused.length === 0 ? [] : [`${refused.length} packets were refused: ${firstOf(refused.map(([name, { prefix, source, destination, flags }]) => `${name} ${prefix.trim()} ${source} > ${destination} ${flags.join(",")}`))}`],
    missing,
  };
}

/** How many of each there are. */
export function counted(items: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
