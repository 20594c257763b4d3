import type { NodeConfig } from "../config/pair.ts";
import { sysctl } from "../config/sysctls.ts";
import { valuesOf } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import { dataNics } from "./addresses.ts";
import { bothOf, lostStates, missingAt, tell, type Rule } from "./rule.ts";
import { machineSpec } from "../topology/topology.ts";

/** Where a node's settings go that has none. */
const usualFile = "/etc/sysctl.d/60-firewall.conf";

/** Whether some script or unit sets it by itself. */
function setElsewhere({ files }: NodeConfig, name: RegExp): boolean {
  return files.some(({ path, lines }) => !/\/sysctl(?:\.d\/|\.conf)/u.test(path) && lines.some((line) => !/^\s*[#;]/u.test(line) && name.test(line)));
}

/** `forwarding-off`: a firewall that does not forward. */
export const forwarding: Rule = ({ nodes, topology }) => {
  const isIpv6 = topology.virtualAddresses.some(({ address }) => address.includes(":"));
  const names = isIpv6 ? ["net.ipv6.conf.all.forwarding"] : ["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"];
  return nodes.flatMap((node) => {
    const said = names.map((name) => sysctl(node.sysctls, name)).filter((value) => value !== undefined);
    if (said.some(({ value }) => value !== "0")) return [];
    const byNetworkd = node.networks.some(({ settings }) => settings.some(({ key, value }) => ["IPForward", "IPMasquerade", "IPv4Forwarding", "IPv6Forwarding"].includes(key) && !/^(?:no|off|false|0)$/iu.test(value)));
    if (byNetworkd || setElsewhere(node, /ip_forward|conf[./]all[./]forwarding|IPv[46]Forwarding/u)) return [];
    return [
      tell({
        id: "forwarding-off", severity: "error", certainty: "certain", node, at: said[0] ?? missingAt(node, usualFile), wrong: said.length > 0 ? `forwarding is switched off on ${node.machine}` : `nothing switches forwarding on, on ${node.machine}`,
        causes: `when ${node.machine} is active, no packet passes`, remedy: `${names[0] ?? ""} = 1`, explains: ["flows-survive", "new-connections", "outage-in-bound", "steady-before"],
      }),
    ];
  });
};

/** `conntrack-events`: conntrackd hears of connections by events. */
export const conntrackEvents: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const name = "net.netfilter.nf_conntrack_events";
    const said = sysctl(node.sysctls, name);
    if (said?.value === "1" || (said === undefined && setElsewhere(node, /nf_conntrack_events/u))) return [];
    const at = said ?? missingAt(node, usualFile);
    if (said?.value === "0") {
      return [tell({ id: "conntrack-events", severity: "error", certainty: "certain", node, at, wrong: `${name} is 0 on ${node.machine}`, causes: "the kernel tells conntrackd of no connection, so none is replicated", remedy: `${name} = 1`, explains: lostStates })];
    }
    const inOrder = valuesOf(node.units.get("keepalived.service")?.settings ?? [], "Unit", "After").some(({ value }) => value.split(/\s+/u).includes("conntrackd.service"));
    return [
      tell({
        id: "conntrack-events", severity: inOrder ? "hint" : "warning", certainty: "possible", node, at, wrong: `${name} is ${said === undefined ? "left at 2, the kernel's default," : said.value} on ${node.machine}`,
        causes: "connections that begin while conntrackd does not listen, before it starts or while it restarts, are never replicated", remedy: `${name} = 1`, explains: lostStates,
      }),
    ];
  });

/** `table-small`, `table-differs`: the survivor has room for all that the other had. */
export const tableSize: Rule = (pair) => {
  const name = "net.netfilter.nf_conntrack_max";
  const size = (node: NodeConfig) => sysctl(node.sysctls, name) ?? sysctl(node.sysctls, "net.nf_conntrack_max");
  const findings: Finding[] = pair.nodes.flatMap((node) => {
    const said = size(node);
    if (said === undefined || !(Number(said.value) < 4096) || said.value === "0") return [];
    return [
      tell({
        id: "table-small", severity: Number(said.value) < 256 ? "error" : "warning", certainty: "likely", node, at: said, wrong: `the kernel's table holds ${said.value} connections on ${node.machine}`,
        causes: "once it is full, new connections are dropped and the other node's states cannot be committed", remedy: `${name} = 65536, or what the traffic needs`, explains: ["new-connections", "flows-survive", "state-on-survivor"],
      }),
    ];
  });
  const both = bothOf(pair);
  if (both === undefined) return findings;
  const [a, b] = [size(both.first), size(both.second)];
  if (a !== undefined && b !== undefined && a.value !== b.value) {
    const smaller = Number(a.value) < Number(b.value) ? both.first : both.second;
    const [low, high] = smaller === both.first ? [a, b] : [b, a];
    findings.push(
      tell({
        id: "table-differs", severity: "warning", certainty: "certain", node: smaller, at: low, also: [high], wrong: `the kernel's table holds ${low.value} connections on ${smaller.machine}, and ${high.value} on the other node`,
        causes: `${smaller.machine} may not have room for what it takes over`, remedy: "Give both nodes the larger one", explains: ["state-on-survivor", "flows-survive"],
      }),
    );
  }
  return findings;
};

/** `sysctls-differ`: what one node sets of the kernel, the other sets too. The table's size and events have rules of their own. */
export const sysctlsDiffer: Rule = (pair) => {
  const both = bothOf(pair);
  if (both === undefined) return [];
  const { first, second } = both;
  return [...new Set([...first.sysctls.keys(), ...second.sysctls.keys()])].flatMap((name) => {
    const [a, b] = [first.sysctls.get(name), second.sysctls.get(name)];
    if (a?.value === b?.value || /nf_conntrack_max|nf_conntrack_events|ip_forward|all\.forwarding/u.test(name)) return [];
    const isTracking = name.includes("nf_conntrack_tcp");
    return [
      tell({
        id: "sysctls-differ", severity: isTracking ? "warning" : "hint", certainty: "certain", node: b === undefined ? second : b.file.startsWith(first.machine) ? first : second, at: b ?? missingAt(second, usualFile), also: [a],
        wrong: `${name} is ${b?.value ?? "not set"} on ${second.machine}, and ${a?.value ?? "not set"} on ${first.machine}`, causes: isTracking ? "the nodes do not judge the same packet the same way" : "the nodes do not behave the same when they are active",
        remedy: "Set the same on both nodes", explains: isTracking ? ["no-drops-on-survivor", "flows-survive"] : [],
      }),
    ];
  });
};

/** `tcp-loose`, `rp-filter-strict`: worth knowing, and no fault of a pair whose ways are symmetric. */
export const looseAndStrict: Rule = ({ nodes, topology }) =>
  nodes.flatMap((node) => {
    const findings: Finding[] = [];
    const loose = sysctl(node.sysctls, "net.netfilter.nf_conntrack_tcp_loose");
    if (loose?.value !== "0" && !(loose === undefined && setElsewhere(node, /nf_conntrack_tcp_loose/u))) {
      findings.push(
        tell({
          id: "tcp-loose", severity: "hint", certainty: "certain", node, at: loose ?? missingAt(node, usualFile), wrong: `a segment in the middle of an unknown TCP connection may begin one on ${node.machine}`,
          causes: "with rules that accept any new packet, flows survive without replication, and forged segments pass", remedy: "net.netfilter.nf_conntrack_tcp_loose = 0", explains: [],
        }),
      );
    }
    for (const scope of ["all", "default", ...dataNics(machineSpec(topology, node.machine)).map(({ name }) => name)]) {
      const strict = sysctl(node.sysctls, `net.ipv4.conf.${scope}.rp_filter`);
      if (strict?.value !== "1") continue;
      findings.push(
        tell({
          id: "rp-filter-strict", severity: "hint", certainty: "possible", node, at: strict, wrong: `rp_filter of ${scope} is strict on ${node.machine}`, causes: "packets that come in where their answers would not go out are dropped unseen; here both ways are the same",
          remedy: "2, loose, where ways may differ", explains: [],
        }),
      );
    }
    return findings;
  });

/** Modules that bring nf_conntrack with them. */
const tracking = /^(?:nf_conntrack\w*|nf_nat\w*|nft_ct|nft_nat|nft_chain_nat|nft_masq|nft_flow_offload|nf_flow_table\w*|xt_conntrack|xt_state|xt_MASQUERADE|xt_CT|iptable_nat|ip6table_nat|ip_vs)$/u;

/** `sysctl-before-module`: systemd-sysctl passes over names of a module that is not there yet. */
export const modulesFirst: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const said = [...node.sysctls].find(([name]) => name.includes("nf_conntrack"))?.[1];
    const loaded = node.files.filter(({ path }) => /\/modules-load\.d\/[^/]+\.conf$|^\/etc\/modules$/u.test(path)).some(({ lines }) => lines.some((line) => tracking.test(line.trim().replaceAll("-", "_"))));
    if (said === undefined || loaded || setElsewhere(node, /modprobe\b.*(?:conntrack|nat|nft_ct)|sysctl\s+(?:\S+\s+)*(?:--system|--load|-p)|restart\s+(?:\S+\s+)*systemd-sysctl/u)) return [];
    return [
      tell({
        id: "sysctl-before-module", severity: "warning", certainty: "likely", node, at: said, wrong: `nothing loads nf_conntrack on ${node.machine} before its settings are made`, causes: "systemd-sysctl passes over settings of a module that is not there: the kernel's defaults stay",
        remedy: "Name nf_conntrack in modules-load.d", explains: lostStates,
      }),
    ];
  });
