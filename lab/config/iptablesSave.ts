import { addressesOf } from "./address.ts";
import { optionsOf, wordsOf, type Option } from "./iptablesWords.ts";
import { protocolNumber } from "./protocolNumbers.ts";
import { chainId, type Action, type Base, type Chain, type Field, type Match, type Rule, type TcpFlag, type Value } from "./ruleset.ts";

/** Where the kernel calls a table's own chains (netfilter_ipv4.h; iptables(8), TABLES). */
const priorities: Readonly<Record<string, number>> = { raw: -300, mangle: -150, filter: 0, security: 50 };

/** Targets after which the packet goes on, as far as this model goes (iptables-extensions(8)). */
const goingOn = new Set(["LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CLASSIFY", "TCPMSS", "TCPOPTSTRIP", "DSCP", "TOS", "TTL", "HL", "SET", "TRACE", "CHECKSUM", "AUDIT", "SECMARK", "CONNSECMARK", "RATEEST", "LED", "IDLETIMER", "HMARK", "ECN", "TEE"]);

/**
 * The chains of `iptables-save` or `ip6tables-save`. What this model does not follow becomes a match or an action that is untold.
 * @param family whose packets they see.
 */
export function readIptablesSave(text: string, family: "ip" | "ip6"): Chain[] {
  const chains = new Map<string, { chain: Omit<Chain, "rules">; rules: Rule[] }>();
  let table = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1).trim();
    const [, name, policy] = /^:(\S+) (\S+)/u.exec(line) ?? [];
    if (name !== undefined && policy !== undefined) {
      const id = chainId(family, table, name);
      chains.set(id, { chain: { id, family, table, name, tool: "iptables", base: baseOf(table, name, policy) }, rules: [] });
    }
    const [, of, rest] = /^(?:\[\d+:\d+\] )?-A (\S+)(.*)$/u.exec(line) ?? [];
    if (of !== undefined) chains.get(chainId(family, table, of))?.rules.push(ruleOf(rest ?? "", family));
  }
  return [...chains.values()].map(({ chain, rules }) => ({ ...chain, rules }));
}

/** The tables that are in an answer of iptables-save, as `ip filter`. */
export function tablesIn(text: string, family: "ip" | "ip6"): string[] {
  return [...text.matchAll(/^\*(\S+)/gmu)].map(([, table]) => `${family} ${table ?? ""}`);
}

function baseOf(table: string, name: string, policy: string): Base | undefined {
  const hook = (["prerouting", "input", "forward", "output", "postrouting"] as const).find((each) => each.toUpperCase() === name);
  if (hook === undefined) return undefined;
  const priority = table === "nat" ? (hook === "prerouting" || hook === "output" ? -100 : 100) : (priorities[table] ?? 0);
  return { type: table === "nat" ? "nat" : "filter", hook, priority, policy: policy === "DROP" ? "drop" : "accept" };
}

function ruleOf(text: string, family: "ip" | "ip6"): Rule {
  const words = wordsOf(text);
  const target = words.findIndex((word) => word === "-j" || word === "-g");
  const conditions = optionsOf(target === -1 ? words : words.slice(0, target));
  const told = conditions.filter(({ name, values }) => name !== "--comment" && !(name === "-m" && values[0] === "comment"));
  const action = target === -1 ? undefined : actionOf(words.slice(target));
  const logs = action === undefined && target !== -1;
  return {
    matches: told.flatMap((option) => matchesOf(option, family)),
    actions: action === undefined ? [] : [action],
    text: logs ? "" : [...told.map(({ name, values, negated }) => `${negated ? "! " : ""}${[name, ...values].join(" ")}`), ...words.slice(target === -1 ? words.length : target)].join(" "),
    comment: conditions.find(({ name }) => name === "--comment")?.values.join(" "),
  };
}

/** Undefined where the packet goes on. `words` begin with -j or -g. */
function actionOf([how, target = "", ...rest]: readonly string[]): Action | undefined {
  const option = (name: string): string | undefined => rest[rest.indexOf(name) + 1];
  switch (target) {
    case "ACCEPT":
      return { kind: "accept" };
    case "DROP":
      return { kind: "drop" };
    case "RETURN":
      return { kind: "return" };
    case "REJECT":
      return { kind: "reject", how: rest.includes("--reject-with") ? (option("--reject-with") ?? "") : "icmp-port-unreachable" };
    case "SNAT":
      return { kind: "snat", addresses: translatedTo(option("--to-source")) };
    case "DNAT":
      return { kind: "dnat", addresses: translatedTo(option("--to-destination")) };
    case "REDIRECT":
      return { kind: "dnat", addresses: undefined };
    case "MASQUERADE":
      return { kind: "masquerade" };
    case "NOTRACK":
      return { kind: "notrack" };
    case "CT":
      return rest.includes("--notrack") ? { kind: "notrack" } : undefined;
    case "QUEUE":
    case "NFQUEUE":
    case "TPROXY":
    case "SYNPROXY":
    case "NETMAP":
    case "SAME":
      return { kind: "untold" };
    default:
      if (goingOn.has(target)) return undefined;
      return { kind: how === "-g" ? "goto" : "jump", chain: target };
  }
}

/** `192.168.1.100`, `192.168.1.100:1024-2000`, `[fd00::1]:80`; undefined for ranges of addresses. */
function translatedTo(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const [, bracketed] = /^\[([^\]]+)\]/u.exec(text) ?? [];
  const address = bracketed ?? (text.split(":").length === 2 ? text.split(":")[0] : text) ?? text;
  return addressesOf(address) === undefined ? undefined : [address];
}

function matchesOf({ name, values, negated }: Option, family: "ip" | "ip6"): Match[] {
  const [value = "", second = ""] = values;
  const one = (field: Field, found: readonly (Value | undefined)[]): Match[] => {
    const known = found.filter((each) => each !== undefined);
    return [{ kind: "in", fields: [field], tuples: known.map((each) => [each]), complete: known.length === found.length, negated }];
  };
  switch (name) {
    case "-m":
      // A module says nothing by itself; what it is asked follows as options, or it is one that nobody asks anything.
      return value === "socket" || value === "rpfilter" ? [{ kind: "untold", text: value }] : [];
    case "-i":
      return one("iifname", [interfaceOf(value)]);
    case "-o":
      return one("oifname", [interfaceOf(value)]);
    case "-s":
      return one("saddr", value.split(",").map((each) => addressesOf(each)));
    case "-d":
      return one("daddr", value.split(",").map((each) => addressesOf(each)));
    case "-p":
      return one("protocol", [protocolOf(value)]);
    case "--sport":
    case "--sports":
      return one("sport", portsOf(value));
    case "--dport":
    case "--dports":
      return one("dport", portsOf(value));
    case "--src-range":
      return one("saddr", [addressesOf(...rangeOf(value))]);
    case "--dst-range":
      return one("daddr", [addressesOf(...rangeOf(value))]);
    case "--state":
    case "--ctstate":
      return one("ctState", value.split(",").map(stateOf));
    case "--tcp-flags":
      return [{ kind: "flags", mask: flagsOf(value), set: flagsOf(second), negated }];
    case "--syn":
      return [{ kind: "flags", mask: ["syn", "rst", "ack", "fin"], set: ["syn"], negated }];
    default:
      return [{ kind: "untold", text: `${family} ${name} ${values.join(" ")}` }];
  }
}

function interfaceOf(text: string): Value {
  return { kind: "text", text: text.replace(/\+$/u, "*") };
}

function protocolOf(text: string): Value | undefined {
  if (text === "all") return { kind: "any" };
  const number = protocolNumber(text);
  return number === undefined ? undefined : { kind: "numbers", first: number, last: number };
}

function portsOf(text: string): (Value | undefined)[] {
  return text.split(",").map((part) => {
    const [first = "", last = first] = part.split(":");
    const ends = [first === "" ? 0 : Number(first), last === "" ? 65_535 : Number(last)] as const;
    return ends.some(Number.isNaN) ? undefined : { kind: "numbers", first: ends[0], last: ends[1] };
  });
}

function rangeOf(text: string): [string, string] {
  const [first = "", last = first] = text.split("-");
  return [first, last];
}

function stateOf(text: string): Value | undefined {
  const states = ["new", "established", "related", "invalid", "untracked"];
  // SNAT and DNAT are states of a connection beside these.
  return states.includes(text.toLowerCase()) ? { kind: "text", text: text.toLowerCase() } : undefined;
}

function flagsOf(text: string): TcpFlag[] {
  const all: readonly TcpFlag[] = ["fin", "syn", "rst", "psh", "ack", "urg"];
  if (text === "ALL") return [...all];
  return all.filter((flag) => text.toLowerCase().split(",").includes(flag));
}
