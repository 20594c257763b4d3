import { z } from "zod";
import { parseConntrackdStats } from "../../lab/observe/conntrackd.ts";
import { parsedJson, unreadable } from "../../lab/observe/parsed.ts";
import { parseVrrp } from "../../lab/observe/vrrp.ts";
import { tableOf, type Table } from "./facts.ts";

const word = z.string().optional();
const ruleset = z.object({ nftables: z.array(z.record(z.string(), z.looseObject({ family: word, table: word, chain: word, name: word }))) });

/** `nft -j list ruleset`, each rule by its place in its chain. Handles and counters are of the past, not of the ruleset. */
export function rulesetTable(text: string): Table {
  const places = new Map<string, number>();
  return tableOf(
    parsedJson("nft -j list ruleset", ruleset, text).nftables.flatMap((entry) =>
      Object.entries(entry).flatMap(([kind, object]) => {
        if (kind === "metainfo") return [];
        const name = [kind, object.family, object.table, object.chain, object.name].filter((part) => part !== undefined).join(" ");
        const place = (places.get(name) ?? 0) + 1;
        places.set(name, place);
        return [[kind === "rule" ? `${name} ${place}` : name, JSON.stringify(withoutPast(object))] as const];
      }),
    ),
  );
}

function withoutPast(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPast);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => !["handle", "packets", "bytes"].includes(name));
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutPast(inner)]));
}

/** Sockets that take packets or connections, by `ss -Hlntup`, with their programs. Ports that the kernel chose itself are not told. */
export function socketTable(text: string): Table {
  const sockets = text.split("\n").filter((line) => line.trim() !== "");
  return tableOf(
    sockets.map((line) => {
      // Of a socket that does not listen, this column counts bytes that wait to be sent this moment.
      const [kind = "", state = "", , sendQueue = "", local = ""] = line.trim().split(/\s+/u);
      const port = local.slice(local.lastIndexOf(":") + 1);
      if (port === "") throw unreadable("ss -Hlntup", "a socket without a port", line);
      const chosen = kind === "udp" && Number(port) >= 32_768 && Number(port) < 61_000;
      const programs = [...line.matchAll(/\("([^"]+)",pid=/gu)].map(([, program]) => program).join(" and ");
      return [`${kind} ${chosen ? local.replace(/\d+$/u, "(any)") : local} of ${programs}`, state === "LISTEN" ? `${state}, backlog ${sendQueue}` : state];
    }),
  );
}

/** Instances of VRRP; nothing when keepalived does not run. */
export function vrrpTable(text: string): Table {
  if (text.trim() === "") return {};
  return tableOf(parseVrrp(text).map(({ name, nic, state, priority }) => [name, `${state} on ${nic} with priority ${priority}`]));
}

/** What conntrackd replicates over, and what went wrong; nothing when it does not run. What it counts of good messages is of the past. */
export function replicationTable(text: string): Table {
  if (text.trim() === "") return {};
  const { internal, external, sendErrors, receiveErrors, malformed } = parseConntrackdStats(text);
  const channel = /^(\S+) traffic \(active device=(\S+)\)/mu.exec(text);
  if (channel === null) throw unreadable("conntrackd -s", "no channel", text);
  const failures = (cache: typeof internal): number => cache.createFailed + cache.updateFailed + cache.destroyFailed;
  return {
    channel: `${channel[1] ?? ""} on ${channel[2] ?? ""}`,
    internal: `${failures(internal)} failures`,
    external: `${failures(external)} failures`,
    network: `${sendErrors + receiveErrors} errors, ${malformed} malformed`,
  };
}
