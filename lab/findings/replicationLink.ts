import type { Transport } from "../config/conntrackd.ts";
import type { Place } from "../config/nodeFiles.ts";
import type { NodeConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { sysctl } from "../config/sysctls.ts";
import { hostPart, machineSpec, managementNic, type PairTopology } from "../topology/topology.ts";
import { ownerOf, sameAddress, syncBridges } from "./addresses.ts";
import { bothOf, eachWithPeer, lostStates, tell, type Rule } from "./rule.ts";

const noStates = "no state of a connection reaches the other node, and every flow dies at takeover";

function at(node: NodeConfig): Place {
  return { file: node.conntrackd?.file ?? `${node.machine}${node.conntrackdPath}`, line: null };
}

/** `sync-missing`: conntrackd replicates at all. */
export const replicates: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const { conntrackd } = node;
    if (conntrackd === undefined) return [];
    const missing = !conntrackd.synchronises ? "no block Sync" : conntrackd.mode === undefined ? "no Mode FTFW, NOTRACK or ALARM" : conntrackd.transports.length === 0 ? "no Multicast, UDP or TCP" : undefined;
    if (missing === undefined) return [];
    return [tell({ id: "sync-missing", severity: "error", certainty: "certain", node, at: at(node), wrong: `conntrackd of ${node.machine} has ${missing}`, causes: noStates, remedy: "Add it, as on the other node", explains: lostStates })];
  });

/** `sync-differs`: mode, transport, group and port are what both daemons have to agree on. */
export const replicationAgrees: Rule = (pair) => {
  const both = bothOf(pair);
  const [a, b] = [both?.first.conntrackd, both?.second.conntrackd];
  if (both === undefined || a?.synchronises !== true || b?.synchronises !== true) return [];
  const { first, second } = both;
  const findings: Finding[] = [];
  const differ = (what: string, values: readonly [string, string], places: readonly [Place | undefined, Place | undefined]): void => {
    if (values[0] === values[1]) return;
    findings.push(
      tell({
        id: "sync-differs", severity: "error", certainty: "certain", node: second, at: places[1] ?? at(second), also: [places[0] ?? at(first)],
        wrong: `conntrackd's ${what} is ${values[1]} on ${second.machine}, and ${values[0]} on ${first.machine}`, causes: noStates, remedy: "Say the same on both nodes", explains: lostStates,
      }),
    );
  };
  if (a.mode !== undefined && b.mode !== undefined) differ("mode", [a.mode.value, b.mode.value], [a.mode, b.mode]);
  for (const mine of a.transports) {
    const sameLink = b.transports.filter((other) => other.kind === mine.kind);
    const other = sameLink.find((candidate) => candidate.interface?.value === mine.interface?.value) ?? sameLink[a.transports.filter(({ kind }) => kind === mine.kind).indexOf(mine)];
    if (other === undefined) {
      // A second link that one node lacks is a spare less; without a common one nothing is replicated.
      if (!a.transports.some(({ kind }) => b.transports.some((candidate) => candidate.kind === kind))) differ("transport", [mine.kind, b.transports[0]?.kind ?? "none"], [mine, b.transports[0]]);
      continue;
    }
    const text = (value: { value: unknown } | undefined): string => (value === undefined ? "not said" : String(value.value));
    differ(mine.kind === "Multicast" ? "multicast group" : "port", [text(mine.port), text(other.port)], [mine.port, other.port]);
    if (mine.kind === "Multicast" && !(mine.address !== undefined && other.address !== undefined && sameAddress(mine.address.value, other.address.value))) differ("multicast address", [text(mine.address), text(other.address)], [mine.address, other.address]);
    differ("interface", [bridgeOf(pair.topology, first, mine), bridgeOf(pair.topology, second, other)], [mine.interface, other.interface]);
  }
  return findings;
};

/** The link by its bridge, as each node may have another name for it. */
function bridgeOf({ machines }: PairTopology, { machine }: NodeConfig, { interface: nic }: Transport): string {
  return machines.find(({ name }) => name === machine)?.nics.find(({ name }) => name === nic?.value)?.bridge ?? nic?.value ?? "not said";
}

/** `sync-interface-wrong`, `sync-link-shared`, `sync-default-twice`: the node has the interface and the address, on a link of their own. */
export const replicationInterface: Rule = ({ nodes, topology }) =>
  nodes.flatMap((node) => {
    const spec = machineSpec(topology, node.machine);
    const dedicated = syncBridges(topology);
    const transports = node.conntrackd?.transports ?? [];
    const findings: Finding[] = [];
    const wrong = (place: Place, text: string, remedy: string): void => {
      findings.push(tell({ id: "sync-interface-wrong", severity: "error", certainty: "certain", node, at: place, wrong: text, causes: `conntrackd does not start, or sends nothing: ${noStates}`, remedy, explains: lostStates }));
    };
    for (const transport of transports) {
      const nic = spec.nics.find(({ name }) => name === transport.interface?.value);
      const own = transport.kind === "Multicast" ? transport.ownAddress : transport.address;
      if (own !== undefined && nic !== undefined && !sameAddress(own.value, nic.address)) {
        const owner = ownerOf(topology, own.value);
        wrong(own, `${own.value} is ${owner === undefined ? "nobody's address" : `${owner.machine.name}'s on ${owner.nic.name}`}, and not ${node.machine}'s on ${nic.name}`, `Write ${hostPart(nic.address)}, or the interface that has ${own.value}`);
      }
      if (nic?.name === managementNic) {
        wrong(transport.interface ?? transport, `the replication is on ${managementNic}, which is the lab's own and no part of the firewalls`, "Use the link between the firewalls");
      } else if (nic !== undefined && dedicated.length > 0 && !dedicated.includes(nic.bridge)) {
        const link = spec.nics.find(({ bridge }) => dedicated.includes(bridge));
        findings.push(
          tell({
            id: "sync-link-shared", severity: transports.length > 1 ? "hint" : "warning", certainty: "certain", node, at: transport.interface ?? transport,
            wrong: `the replication is on ${nic.name}, among the traffic that it is to protect`, causes: "anyone on that link can send states, or read them, and traffic can crowd them out", remedy: `Use ${link?.name ?? "the link between the firewalls"}`, explains: lostStates,
          }),
        );
      }
    }
    const [, second] = transports.filter(({ isDefault }) => isDefault);
    if (second !== undefined) {
      findings.push(tell({ id: "sync-default-twice", severity: "warning", certainty: "likely", node, at: second, wrong: "two links of the replication are the default one", causes: "the nodes may use different links", remedy: "Write default at one link, the same on both nodes", explains: lostStates }));
    }
    return findings;
  });

/** `sync-peer-wrong`: UDP and TCP go to one address, which has to be the other node's on that link. */
export const replicationPeer: Rule = (pair) =>
  eachWithPeer(pair).flatMap(({ node, peer }) =>
    (node.conntrackd?.transports ?? []).flatMap((transport) => {
      if (transport.kind === "Multicast" || transport.destination === undefined) return [];
      const { destination } = transport;
      const nics = machineSpec(pair.topology, peer.machine).nics;
      const bridge = machineSpec(pair.topology, node.machine).nics.find(({ name }) => name === transport.interface?.value)?.bridge;
      const due = nics.find((nic) => nic.bridge === bridge);
      const isPeers = due === undefined ? nics.some(({ address }) => sameAddress(address, destination.value)) : sameAddress(due.address, destination.value);
      if (isPeers) return [];
      return [
        tell({
          id: "sync-peer-wrong", severity: "error", certainty: "certain", node, at: destination, wrong: `states are sent to ${destination.value}, which is not ${peer.machine}'s address on that link`, causes: noStates,
          remedy: due === undefined ? `Write ${peer.machine}'s address` : `Write ${hostPart(due.address)}`, explains: lostStates,
        }),
      ];
    }),
  );

/** Of tcp_retries2, what gives a silent peer up within half a minute: 0.2 s, and twice as long each time (tcp(7)). */
const retriesAtMost = 6;

/**
 * `sync-channel-outlives-peer`: a node that loses its power closes no connection. The other's channel to it lives on until its segments have been sent again
 * for so long, and what is written to it until then reaches nobody: not the one either that has come back meanwhile.
 */
export const replicationChannel: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const transport = node.conntrackd?.transports.find(({ kind }) => kind === "TCP");
    const name = "net.ipv4.tcp_retries2";
    const said = sysctl(node.sysctls, name);
    if (transport === undefined || (said !== undefined && Number(said.value) <= retriesAtMost)) return [];
    return [
      tell({
        id: "sync-channel-outlives-peer", severity: "warning", certainty: "likely", node, at: transport, also: [said],
        wrong: `the states go by TCP, whose channel to a dead node ${node.machine} keeps for ${said === undefined ? "a quarter of an hour" : `${said.value} repetitions`}`,
        causes: "the node that returns gets no states by it, and takes over without them", remedy: `${name} = 3 on both nodes, or Multicast or UDP with Mode FTFW`, explains: lostStates,
      }),
    ];
  });
