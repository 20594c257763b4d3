import { advertOf, partnerOf, versionOf } from "../config/duty.ts";
import type { VrrpInstance } from "../config/keepalived.ts";
import type { Place, Said } from "../config/nodeFiles.ts";
import type { NodeConfig, PairConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { sameAddress } from "./addresses.ts";
import { bothOf, eachWithPeer, lostAddresses, tell, type Rule } from "./rule.ts";

interface Partners {
  readonly first: NodeConfig;
  readonly second: NodeConfig;
  readonly mine: VrrpInstance;
  readonly other: VrrpInstance;
}

function partners(pair: PairConfig): Partners[] {
  const both = bothOf(pair);
  if (both === undefined) return [];
  return (both.first.keepalived?.instances ?? []).flatMap((mine) => {
    const other = partnerOf(both.second, mine);
    return other === undefined ? [] : [{ ...both, mine, other }];
  });
}

interface Difference {
  readonly id: string;
  readonly severity?: Finding["severity"];
  readonly certainty?: Finding["certainty"];
  readonly what: string;
  readonly values: readonly [string, string];
  readonly at: readonly [Place | undefined, Place | undefined];
  readonly causes: string;
}

/** Told at the second node's line, as the first's is read before it. */
function differ({ first, second, mine, other }: Partners, { id, severity = "error", certainty = "certain", what, values, at, causes }: Difference): Finding {
  return tell({
    id, severity, certainty, node: second, at: at[1] ?? other, also: [at[0] ?? mine],
    wrong: `${what} of ${other.name} is ${values[1]} on ${second.machine}, and ${values[0]} on ${first.machine}`, causes, remedy: "Say the same on both nodes", explains: lostAddresses,
  });
}

const bothMaster = "neither node takes the other's adverts for its own, so both become master";

/** `vrid-differs`: instances that mean each other speak past each other. */
export const vridDiffers: Rule = (pair) =>
  partners(pair).flatMap((each) => {
    const [a, b] = [each.mine.virtualRouterId, each.other.virtualRouterId];
    return a?.value === b?.value ? [] : [differ(each, { id: "vrid-differs", what: "virtual_router_id", values: [String(a?.value ?? "not said"), String(b?.value ?? "not said")], at: [a, b], causes: bothMaster })];
  });

/** `vrid-clash`: one identifier twice on one link. */
export const vridClash: Rule = ({ nodes, topology }) =>
  nodes.flatMap((node) => {
    const nics = machineSpec(topology, node.machine).nics;
    const link = ({ interface: nic }: VrrpInstance): string | undefined => nics.find(({ name }) => name === nic?.value)?.bridge ?? nic?.value;
    const family = ({ virtualIps: [ip] }: VrrpInstance): boolean => ip?.address.includes(":") ?? false;
    const instances = node.keepalived?.instances ?? [];
    return instances.flatMap((instance, index) => {
      const earlier = instances.slice(0, index).find((other) => other.virtualRouterId?.value === instance.virtualRouterId?.value && instance.virtualRouterId !== undefined && link(other) === link(instance) && family(other) === family(instance));
      if (earlier === undefined) return [];
      return [
        tell({
          id: "vrid-clash", severity: "error", certainty: "certain", node, at: instance.virtualRouterId ?? instance, also: [earlier.virtualRouterId],
          wrong: `${instance.name} and ${earlier.name} have virtual_router_id ${instance.virtualRouterId?.value ?? ""} on one link`, causes: "keepalived takes each one's adverts for the other's, and refuses such a configuration",
          remedy: "Give each instance of a link an identifier of its own", explains: lostAddresses,
        }),
      ];
    });
  });

/** `advert-differs`, `vrrp-version-differs`, `auth-differs`, `vrrp-group-differs`: what an advert says must be what the other expects. */
export const advertsMatch: Rule = (pair) =>
  partners(pair).flatMap((each) => {
    const { first, second, mine, other } = each;
    const findings: Finding[] = [];
    const versions = [versionOf(first, mine), versionOf(second, other)] as const;
    if (versions[0] !== versions[1]) {
      const at = [mine.version ?? first.keepalived?.globals.vrrpVersion, other.version ?? second.keepalived?.globals.vrrpVersion] as const;
      findings.push(differ(each, { id: "vrrp-version-differs", what: "VRRP's version", values: [String(versions[0]), String(versions[1])], at, causes: bothMaster }));
    }
    const adverts = [advertOf(mine), advertOf(other)] as const;
    if (adverts[0] !== adverts[1]) {
      const isOld = Math.min(...versions) < 3;
      findings.push(
        differ(each, {
          id: "advert-differs", severity: isOld ? "error" : "warning", certainty: isOld ? "likely" : "certain", what: "advert_int", values: [`${adverts[0]} s`, `${adverts[1]} s`], at: [mine.advertInterval, other.advertInterval],
          causes: isOld ? "VRRPv2 drops adverts of another interval, so both become master" : "how long a takeover takes depends on who was active (RFC 5798, 6.1)",
        }),
      );
    }
    if (Math.max(...versions) < 3) findings.push(...authDiffers(each));
    const group = (node: NodeConfig, instance: VrrpInstance): Said<string> | undefined => instance.multicastGroup ?? node.keepalived?.globals.multicastGroup;
    const groups = [group(first, mine), group(second, other)] as const;
    const name = (said: Said<string> | undefined): string => said?.value ?? "the default";
    if (mine.unicastPeers.length === 0 && other.unicastPeers.length === 0 && name(groups[0]) !== name(groups[1])) {
      findings.push(differ(each, { id: "vrrp-group-differs", what: "the adverts' multicast group", values: [name(groups[0]), name(groups[1])], at: groups, causes: "neither node hears the other, so both become master" }));
    }
    return findings;
  });

function authDiffers(each: Partners): Finding[] {
  const { mine, other } = each;
  // VRRPv2 sends eight characters.
  const auth = ({ authType, authPass }: VrrpInstance): string => (authType === undefined && authPass === undefined ? "none" : `${(authType?.value ?? "PASS").toUpperCase()} ${authPass?.value.slice(0, 8) ?? ""}`);
  if (auth(mine) === auth(other)) return [];
  // A password is nobody's business in a report.
  const kind = ({ authType, authPass }: VrrpInstance): string => (authType === undefined && authPass === undefined ? "none" : `${authType?.value ?? "PASS"} with a password`);
  const values = [kind(mine), kind(mine) === kind(other) ? `${kind(other)} that is another` : kind(other)] as const;
  return [differ(each, { id: "auth-differs", what: "authentication", values, at: [mine.authPass ?? mine.authType, other.authPass ?? other.authType], causes: bothMaster })];
}

/** `unicast-differs`: adverts go to where the other node listens, from an address that it expects. */
export const unicastMatches: Rule = (pair) => {
  const findings: Finding[] = partners(pair)
    .filter(({ mine, other }) => mine.unicastPeers.length === 0 !== (other.unicastPeers.length === 0))
    .map((each) => differ(each, { id: "unicast-differs", what: "the adverts' way", values: each.mine.unicastPeers.length > 0 ? ["unicast", "multicast"] : ["multicast", "unicast"], at: [each.mine.unicastPeers[0], each.other.unicastPeers[0]], causes: "a node refuses adverts that come the other way, so both become master" }));
  for (const { node, peer } of eachWithPeer(pair)) {
    for (const instance of node.keepalived?.instances ?? []) {
      const partner = partnerOf(peer, instance);
      const [firstPeer] = instance.unicastPeers;
      if (partner === undefined || firstPeer === undefined || partner.unicastPeers.length === 0) continue;
      const nic = machineSpec(pair.topology, peer.machine).nics.find(({ name }) => name === partner.interface?.value);
      const source = partner.unicastSource?.value ?? (nic === undefined ? undefined : hostPart(nic.address));
      if (source === undefined || instance.unicastPeers.some(({ value }) => sameAddress(value, source))) continue;
      findings.push(
        tell({
          id: "unicast-differs", severity: "error", certainty: "certain", node, at: firstPeer, also: [partner.unicastSource ?? partner.interface],
          wrong: `${instance.name} sends its adverts to ${instance.unicastPeers.map(({ value }) => value).join(", ")}, and ${peer.machine}'s are from ${source}`, causes: `${node.machine} and ${peer.machine} do not hear each other, so both become master`,
          remedy: `Name ${source} in unicast_peer`, explains: lostAddresses,
        }),
      );
    }
  }
  return findings;
};
