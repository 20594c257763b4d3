import type { FilterList } from "../config/conntrackd.ts";
import type { Place } from "../config/nodeFiles.ts";
import type { NodeConfig, PairConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { machineSpec } from "../topology/topology.ts";
import { covers } from "../topology/address.ts";
import { dataNics } from "./addresses.ts";
import { lostStates, tell, type Rule } from "./rule.ts";

/** A cache that holds fewer connections than this is full in an ordinary minute. */
const smallCache = 1024;

const addressesOf = ({ topology }: PairConfig, machine: string): string[] => dataNics(machineSpec(topology, machine)).map(({ address }) => address.replace(/\/.*$/u, ""));

function hidden(id: string, node: NodeConfig, at: Place, wrong: string, remedy: string): Finding {
  return tell({ id, severity: "error", certainty: "certain", node, at, wrong, causes: "the other node never hears of these connections, and they die at takeover", remedy, explains: lostStates });
}

/** `address-ignored`: conntrackd's filter looks at where a connection comes from, and where its answers come from. */
export const addressFilter: Rule = (pair) =>
  pair.nodes.flatMap((node) =>
    (node.conntrackd?.addresses ?? []).flatMap((list) => {
      const ends = [
        { role: "connections from", machine: pair.topology.client },
        { role: "answers from", machine: pair.topology.server },
      ].map((end) => ({ ...end, addresses: addressesOf(pair, end.machine) }));
      if (list.accept) {
        const isAccepted = ends.some(({ addresses }) => addresses.some((address) => list.values.some(({ value }) => covers(value, address))));
        return isAccepted ? [] : [hidden("address-ignored", node, list, "Address Accept names neither where the connections come from, nor where their answers do", "Name the client's network, or ignore addresses instead")];
      }
      return list.values.flatMap((ignored) =>
        ends
          .filter(({ addresses }) => addresses.some((address) => covers(ignored.value, address)))
          .map(({ role, machine }) => (hidden("address-ignored", node, ignored, `Address Ignore ${ignored.value} holds ${machine}: ${role} there are not replicated`, "Ignore only the firewalls' own addresses, one by one"))),
      );
    }),
  );

/** `protocol-not-replicated`: what the tree promises to carry is replicated. */
export const protocolFilter: Rule = ({ nodes, promises }) => {
  const promised = [...new Set(promises.flows.map((kind) => (kind === "udp" ? "UDP" : "TCP")))];
  return nodes.flatMap((node) =>
    (node.conntrackd?.protocols ?? []).flatMap((list) =>
      promised.filter((protocol) => said(list, protocol) !== list.accept).map((protocol) => (hidden("protocol-not-replicated", node, list, `Protocol ${list.accept ? "Accept leaves out" : "Ignore names"} ${protocol}, of which the pair has to carry flows`, `${list.accept ? "Add" : "Take away"} ${protocol}`))),
    ),
  );
};

/** Protocols may be written as numbers. */
const numbers: Readonly<Record<string, string>> = { TCP: "6", UDP: "17" };

function said({ values }: FilterList, protocol: string): boolean {
  return values.some(({ value }) => value === protocol || value === numbers[protocol]);
}

/** `state-not-replicated`: of TCP, the state that long connections are in. */
export const stateFilter: Rule = ({ nodes, promises }) => {
  if (promises.flows.every((kind) => kind === "udp")) return [];
  return nodes.flatMap((node) =>
    (node.conntrackd?.states ?? [])
      .filter((list) => said(list, "ESTABLISHED") !== list.accept)
      .map((list) => (hidden("state-not-replicated", node, list, `State ${list.accept ? "Accept leaves out" : "Ignore names"} ESTABLISHED`, "Replicate ESTABLISHED"))),
  );
};

/** `hash-limit-small`: what the caches do not hold is not replicated. */
export const cacheSize: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const limit = node.conntrackd?.hashLimit;
    if (limit === undefined || limit.value >= smallCache) return [];
    return [
      tell({
        id: "hash-limit-small", severity: limit.value < smallCache / 4 ? "error" : "warning", certainty: "likely", node, at: limit, wrong: `conntrackd's caches hold ${limit.value} connections at most`,
        causes: "connections beyond that are not replicated, and die at takeover", remedy: "Let HashLimit be twice nf_conntrack_max", explains: lostStates,
      }),
    ];
  });
