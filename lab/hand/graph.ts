import { hostPart, isPair, managementBridge, type MachineSpec, type NativeHost, type Topology } from "../topology/topology.ts";

/** Who is plugged into a bridge, by which NIC, with which address. */
interface Plug {
  readonly host: string;
  readonly nic: string;
  readonly address: string;
  readonly vlan: number | undefined;
}

function plugsOf({ machines, natives = [] }: Topology, bridge: string): Plug[] {
  return [...machines, ...natives].flatMap((host: MachineSpec | NativeHost) =>
    host.nics.filter((nic) => nic.bridge === bridge).map((nic) => ({ host: host.name, nic: nic.name, address: nic.address, vlan: "vlan" in nic && typeof nic.vlan === "number" ? nic.vlan : undefined })),
  );
}

/** A topology's bridges with what is plugged into each, as text. @param notes more about a machine, by its name. */
export function graphText(topology: Topology, notes: ReadonlyMap<string, string> = new Map()): string {
  const named = (host: string): string => (notes.has(host) ? `${host} (${notes.get(host) ?? ""})` : host);
  const lines = topology.bridges.flatMap((bridge) => {
    const plugs = plugsOf(topology, bridge);
    return [
      `${bridge}${bridge === managementBridge ? "  (management)" : ""}`,
      ...plugs.map(({ host, nic, address, vlan }, index) => `${index === plugs.length - 1 ? "└─" : "├─"} ${`${host}.${nic}`.padEnd(22)} ${address.padEnd(24)}${vlan === undefined ? "" : `VLAN ${vlan}  `}${notes.has(host) ? named(host).slice(host.length + 1) : ""}`.trimEnd()),
      "",
    ];
  });
  const moved = isPair(topology) ? [`virtual addresses: ${topology.virtualAddresses.map(({ address, nic }) => `${address} on ${nic}`).join(", ")}`] : [];
  return [topology.name, "", ...lines, ...moved].join("\n").trimEnd().concat("\n");
}

/** The same as a flowchart in Mermaid's language, management left out. Source: Mermaid's documentation, "Flowcharts". */
export function graphMermaid(topology: Topology): string {
  const { machines, natives = [], bridges } = topology;
  const id = (name: string): string => name.replace(/[^a-zA-Z0-9]/gu, "_");
  const hosts = [...machines.map(({ name }) => `  ${id(name)}["${name}"]`), ...natives.map(({ name }) => `  ${id(name)}("${name}")`)];
  const drawn = bridges.filter((bridge) => bridge !== managementBridge);
  return ["flowchart LR", ...hosts, ...drawn.map((bridge) => `  ${id(bridge)}{{"${bridge}"}}`), ...drawn.flatMap((bridge) => plugsOf(topology, bridge).map(({ host, nic, address }) => `  ${id(host)} ---|"${nic} ${hostPart(address)}"| ${id(bridge)}`)), ""].join("\n");
}
