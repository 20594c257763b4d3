import type { VirtualIp, VrrpInstance } from "../config/keepalived.ts";
import type { NodeConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { machineSpec } from "../topology/topology.ts";
import { sameAddress } from "./addresses.ts";
import { eachWithPeer, lostAddresses, missingAt, tell, type Rule } from "./rule.ts";

interface Held {
  readonly instance: VrrpInstance;
  readonly ip: VirtualIp;
}

function heldBy({ keepalived }: NodeConfig): Held[] {
  return (keepalived?.instances ?? []).flatMap((instance) => instance.virtualIps.map((ip) => ({ instance, ip })));
}

const find = (held: readonly Held[], address: string): Held | undefined => held.find(({ ip }) => sameAddress(ip.address, address));

/** `vip-unknown`, `vip-missing`, `vip-interface`: the addresses that keepalived moves are those that the neighbours know, where they know them. */
export const vipsKnown: Rule = ({ nodes, topology }) =>
  nodes.flatMap((node) => {
    const { virtualAddresses } = topology;
    const own = machineSpec(topology, node.machine).nics;
    const held = heldBy(node);
    if (node.keepalived === undefined) return [];
    const at = missingAt(node, node.keepalivedPath);
    const lacking = virtualAddresses.filter(({ address }) => find(held, address) === undefined);
    const findings: Finding[] = lacking.map(({ address, nic, neighbour }) =>
      tell({
        id: "vip-missing", severity: "error", certainty: "certain", node, at: { file: node.keepalived?.file ?? at.file, line: held.find(({ instance }) => instance.interface?.value === nic)?.instance.line ?? null },
        wrong: `${node.machine} never holds the virtual address ${address}`, causes: `when ${node.machine} is active, nobody answers for ${address}, and ${neighbour}'s packets go nowhere`,
        remedy: `Name ${address} in virtual_ipaddress of the instance on ${nic}`, explains: lostAddresses,
      }),
    );
    for (const { instance, ip } of held) {
      const known = virtualAddresses.find(({ address }) => sameAddress(address, ip.address));
      const nic = ip.interface ?? instance.interface?.value;
      if (known === undefined) {
        findings.push(
          tell({
            id: "vip-unknown", severity: lacking.length > 0 ? "error" : "hint", certainty: "certain", node, at: ip,
            wrong: `the topology has no virtual address ${ip.address}`,
            causes: lacking.length > 0 ? `${lacking.map(({ address }) => address).join(" and ")} may be what is meant: nobody's packets go to ${ip.address}` : "none of the lab's machines sends to it",
            remedy: `The virtual addresses are ${virtualAddresses.map((virtual) => `${virtual.address} on ${virtual.nic}`).join(" and ")}`, explains: lacking.length > 0 ? lostAddresses : [],
          }),
        );
      } else if (nic !== known.nic && ip.interface === undefined && instance.vmac === undefined && own.some(({ name }) => name === nic)) {
        findings.push(
          tell({
            id: "vip-interface", severity: "error", certainty: "certain", node, at: ip, also: [instance.interface],
            wrong: `${ip.address} is put on ${nic ?? ""}, and its neighbour ${known.neighbour} is behind ${known.nic}`, causes: `${known.neighbour} finds nobody who has ${ip.address}`,
            remedy: `Put it on ${known.nic}`, explains: lostAddresses,
          }),
        );
      } else if (ip.interface !== undefined && nic !== known.nic && !/^vrrp|^vmac/u.test(ip.interface)) {
        findings.push(
          tell({
            id: "vip-interface", severity: "error", certainty: "likely", node, at: ip, wrong: `${ip.address} is put on ${ip.interface}, and its neighbour ${known.neighbour} is behind ${known.nic}`,
            causes: `${known.neighbour} finds nobody who has ${ip.address}`, remedy: `Write dev ${known.nic}, or no dev`, explains: lostAddresses,
          }),
        );
      }
    }
    return findings;
  });

/** `vips-differ`: an advert lists the addresses, and keepalived refuses one whose list is not its own, so both nodes become master. */
export const vipsDiffer: Rule = (pair) =>
  eachWithPeer(pair).flatMap(({ node, peer }) => {
    if (node.keepalived === undefined) return [];
    const held = heldBy(node);
    return heldBy(peer)
      .filter(({ ip }) => find(held, ip.address) === undefined)
      .map(({ instance, ip }) => {
        const partner = node.keepalived?.instances.find(({ name, interface: nic }) => name === instance.name || nic?.value === instance.interface?.value);
        return tell({
          id: "vips-differ", severity: "error", certainty: "certain", node, at: partner ?? { file: node.keepalived?.file ?? "", line: null }, also: [ip],
          wrong: `${ip.address} is among ${peer.machine}'s virtual addresses, and not among ${node.machine}'s`, causes: "each node refuses the other's adverts, so both become master; on this one the address is never up",
          remedy: "Name the same virtual addresses on both nodes", explains: lostAddresses,
        });
      });
  });
