import type { Place, Said } from "../config/nodeFiles.ts";
import { networkFor } from "../config/networks.ts";
import type { NodeConfig } from "../config/pair.ts";
import { readSettings } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import { hostPart, machineSpec } from "../topology/topology.ts";
import { dataNics, ownerOf, sameAddress } from "./addresses.ts";
import { lostAddresses, lostStates, missingAt, tell, type Rule } from "./rule.ts";

/** Interfaces that the trees make: VLANs, VRFs, bridges of networkd, and VRRP's own MACs. */
function madeInterfaces({ files }: NodeConfig): string[] {
  return files.filter(({ path }) => path.endsWith(".netdev")).flatMap((file) => readSettings(file).filter(({ section, key }) => section === "NetDev" && key === "Name").map(({ value }) => value));
}

/** `interface-unknown`: every interface that the daemons are told of is there. */
export const interfacesKnown: Rule = ({ nodes, topology }) =>
  nodes.flatMap((node) => {
    const nics = machineSpec(topology, node.machine).nics.map(({ name }) => name);
    const made = madeInterfaces(node);
    const unknown = (said: Said<string> | undefined, who: string, explains: readonly string[]): Finding[] => {
      if (said === undefined || nics.includes(said.value) || made.includes(said.value) || said.value === "lo" || /^(?:vrrp|vmac)/u.test(said.value)) return [];
      const place: Place = said;
      return [
        tell({
          id: "interface-unknown", severity: "error", certainty: "certain", node, at: place, wrong: `${who} is told of the interface ${said.value}, which ${node.machine} does not have`, causes: `${who} cannot use it: the instance stays in fault, or the daemon does not start`,
          remedy: `${node.machine} has ${nics.join(", ")}`, explains,
        }),
      ];
    };
    const vrrp = (node.keepalived?.instances ?? []).flatMap((instance) => [
      ...unknown(instance.interface, "keepalived", lostAddresses),
      ...instance.trackedInterfaces.flatMap((tracked) => unknown(tracked, "keepalived", lostAddresses)),
      ...instance.virtualIps.flatMap((ip) => (ip.interface === undefined ? [] : unknown({ ...ip, value: ip.interface }, "keepalived", lostAddresses))),
    ]);
    return [...vrrp, ...(node.conntrackd?.transports ?? []).flatMap((transport) => unknown(transport.interface, "conntrackd", lostStates))];
  });

/** `address-unknown`, `address-missing`, `vip-static`: each machine has its own addresses, where the topology has them. */
export const ownAddresses: Rule = ({ nodes, endpoints, topology }) =>
  [...nodes, ...endpoints].flatMap((node) => {
    const findings: Finding[] = [];
    for (const nic of dataNics(machineSpec(topology, node.machine))) {
      const network = networkFor(node.networks, nic.name);
      const own = network?.addresses.find(({ value }) => sameAddress(value, nic.address));
      // Some other program may give addresses.
      const said = node.files.some(({ lines }) => lines.some((line) => !/^\s*[#;]/u.test(line) && line.includes(hostPart(nic.address)) && /\baddr(?:ess)?\b|ifconfig/iu.test(line) && !/IPv[46]_/u.test(line)));
      if (own === undefined && !said) {
        const wrongOne = network?.addresses[0];
        findings.push(
          tell({
            id: wrongOne === undefined ? "address-missing" : "address-unknown", severity: "error", certainty: wrongOne === undefined ? "likely" : "certain", node,
            at: wrongOne ?? { file: network?.file ?? missingAt(node, `/etc/systemd/network/10-${nic.name}.network`).file, line: null },
            wrong: wrongOne === undefined ? `nothing gives ${nic.name} of ${node.machine} its address ${nic.address}` : `${nic.name} of ${node.machine} gets ${wrongOne.value}, and has ${nic.address} in the topology`, causes: "its neighbours do not find it there",
            remedy: `Address=${nic.address}`, explains: lostAddresses,
          }),
        );
      } else if (own !== undefined && own.value.includes("/") && own.value.replace(/^.*\//u, "") !== nic.address.replace(/^.*\//u, "")) {
        findings.push(
          tell({ id: "address-unknown", severity: "warning", certainty: "likely", node, at: own, wrong: `${nic.name} of ${node.machine} gets ${own.value}, and has ${nic.address} in the topology`, causes: "it takes neighbours for strangers, or strangers for neighbours", remedy: `Address=${nic.address}`, explains: lostAddresses }),
        );
      }
      for (const address of network?.addresses ?? []) {
        if (!topology.virtualAddresses.some((virtual) => sameAddress(virtual.address, address.value))) continue;
        findings.push(
          tell({ id: "vip-static", severity: "error", certainty: "certain", node, at: address, wrong: `${node.machine} always has the virtual address ${address.value}`, causes: "two machines answer for one address, and it cannot move", remedy: "Let keepalived alone give it", explains: ["vips-moved", "steady-before", "flows-survive"] }),
        );
      }
    }
    for (const instance of node.keepalived?.instances ?? []) {
      const source = instance.unicastSource;
      const spec = machineSpec(topology, node.machine);
      if (source === undefined || spec.nics.some(({ address }) => sameAddress(address, source.value))) continue;
      findings.push(
        tell({
          id: "address-unknown", severity: "error", certainty: "certain", node, at: source, wrong: `adverts of ${instance.name} are to come from ${source.value}, which is ${ownerOf(topology, source.value)?.machine.name ?? "nobody"}'s address`, causes: "keepalived cannot send them: the other node becomes master as well",
          remedy: `Write ${node.machine}'s own address`, explains: lostAddresses,
        }),
      );
    }
    return findings;
  });
