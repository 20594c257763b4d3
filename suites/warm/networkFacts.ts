import { z } from "zod";
import { parsedJson } from "../../lab/observe/parsed.ts";
import { tableOf, type Table } from "./facts.ts";

const address = z.looseObject({ local: z.string(), prefixlen: z.number() });
const links = z.array(z.looseObject({ ifname: z.string(), addr_info: z.array(address).optional() }));
/** ip(8) leaves out what is usual. */
const route = z.looseObject({ dst: z.string(), type: z.string().default("unicast"), table: z.string().default("main"), dev: z.string().default("no device") });
const rules = z.array(z.record(z.string(), z.unknown()));

/** `ip -j addr`: addresses only, as `linkTable` has the rest. */
export function addressTable(text: string): Table {
  return tableOf(
    parsedJson("ip -j addr", links, text).flatMap(({ ifname, addr_info = [] }) =>
      addr_info.map(({ local, prefixlen, ...rest }) => [`${ifname} ${local}/${prefixlen}`, JSON.stringify(rest)] as const),
    ),
  );
}

/** `ip -j link`: flags, MTU, MAC and all else. */
export function linkTable(text: string): Table {
  return tableOf(parsedJson("ip -j link", links, text).map(({ ifname, ...rest }) => [ifname, JSON.stringify(rest)]));
}

/** `ip -j route show table all`. */
export function routeTable(...texts: readonly string[]): Table {
  const routes = texts.flatMap((text) => parsedJson("ip -j route show table all", z.array(route), text));
  return tableOf(routes.map(({ dst, type, table, dev, ...rest }) => [`${table} ${type} ${dst} ${dev}`, JSON.stringify(rest)]));
}

/** `ip -j rule`. */
export function ruleTable(four: string, six: string): Table {
  const of = (family: string, text: string) => parsedJson("ip -j rule", rules, text).map((rule) => [`${family} ${JSON.stringify(rule)}`, "set"] as const);
  return tableOf([...of("IPv4", four), ...of("IPv6", six)]);
}
