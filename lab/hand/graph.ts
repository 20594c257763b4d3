import type { SandwichTopology } from "../topology/sandwich.ts";
import { hostPart, isPair, managementBridge, type MachineSpec, type NativeHost, type Nic, type PairTopology, type Topology } from "../topology/topology.ts";
import { drawnMachine, heldAt, holdersOf, isBlocked, type MachineKind } from "./graphState.ts";
import { movedAddresses } from "./labStatus.ts";
import type { LabStatus } from "./words.ts";

/** A NIC that is plugged into a bridge. */
interface Plug {
  readonly host: string;
  readonly nic: Nic;
}

function plugsOf({ machines, natives = [] }: Topology, bridge: string): Plug[] {
  return [...machines, ...natives].flatMap((host: MachineSpec | NativeHost) => host.nics.filter((nic) => nic.bridge === bridge).map((nic) => ({ host: host.name, nic })));
}

/** Lines below a head, joined to it. */
function branches(lines: readonly string[]): string[] {
  return lines.map((line, index) => `${index === lines.length - 1 ? "└─" : "├─"} ${line}`.trimEnd());
}

/**
 * A topology's bridges with what is plugged into each, as text.
 * @param status a lab of this topology that stands: then also how each machine is, who holds which address, and which link is blocked.
 */
export function graphText(topology: PairTopology | SandwichTopology, status?: LabStatus): string {
  const plugLine = ({ host, nic }: Plug): string => {
    const vlan = nic.vlan === undefined ? [] : [`VLAN ${nic.vlan}`];
    return `${`${host}.${nic.name}`.padEnd(22)} ${nic.address.padEnd(24)}${[...vlan, ...(status === undefined ? [] : plugNotes(status, host, nic))].join(", ")}`;
  };
  const bridges = topology.bridges.flatMap((bridge) => [`${bridge}${bridge === managementBridge ? "  (management)" : ""}`, ...branches(plugsOf(topology, bridge).map(plugLine)), ""]);
  const machines = status === undefined ? [] : ["machines", ...branches(topology.machines.map(({ name }) => `${name.padEnd(22)} ${drawnMachine(status, name)?.lines.join(", ") ?? "unknown"}`)), ""];
  const moved = movedAddresses(topology).map((address) => `${address}${nicOfMoved(topology, address)}${status === undefined ? "" : `: ${holdersOf(status, address)}`}`);
  return [topology.name, "", ...bridges, ...machines, `virtual addresses: ${moved.join(", ")}`, ""].join("\n");
}

function plugNotes(status: LabStatus, host: string, nic: Nic): string[] {
  const held = nic.bridge === managementBridge ? [] : heldAt(status, host, nic);
  return [...(isBlocked(status, host, nic.name) ? ["BLOCKED"] : []), ...(drawnMachine(status, host)?.kind === "trouble" ? (drawnMachine(status, host)?.lines ?? []) : []), ...(held.length === 0 ? [] : [`holds ${held.join(" ")}`])];
}

function nicOfMoved(topology: PairTopology | SandwichTopology, address: string): string {
  const moved = isPair(topology) ? topology.virtualAddresses.find((each) => each.address === address) : undefined;
  return moved === undefined ? "" : ` on ${moved.nic}`;
}

/** Colours that stand out on a light and on a dark page. */
const classes: Readonly<Record<Exclude<MachineKind, "plain">, string>> = {
  active: "fill:#1a7f37,stroke:#1a7f37,color:#ffffff",
  waiting: "fill:#57606a,stroke:#57606a,color:#ffffff",
  trouble: "fill:#cf222e,stroke:#cf222e,color:#ffffff",
};
const blockedLink = "stroke:#cf222e,stroke-width:3px";

/** The same as a flowchart in Mermaid's language, management left out. Source: Mermaid's documentation, "Flowcharts". */
export function graphMermaid(topology: Topology, status?: LabStatus): string {
  const { machines, natives = [], bridges } = topology;
  const id = (name: string): string => name.replace(/[^a-zA-Z0-9]/gu, "_");
  const boxes = machines.map(({ name }) => {
    const drawn = status === undefined ? undefined : drawnMachine(status, name);
    return `  ${id(name)}["${[name, ...(drawn?.lines ?? [])].join("<br/>")}"]${drawn === undefined || drawn.kind === "plain" ? "" : `:::${drawn.kind}`}`;
  });
  const drawnBridges = bridges.filter((bridge) => bridge !== managementBridge);
  const links = drawnBridges.flatMap((bridge) => plugsOf(topology, bridge));
  const blocked = links.map(({ host, nic }) => status !== undefined && isBlocked(status, host, nic.name));
  const lines = links.map(({ host, nic: { name, address, bridge } }, index) => `  ${id(host)} ${blocked[index] === true ? "-.-" : "---"}|"${name} ${hostPart(address)}${blocked[index] === true ? " BLOCKED" : ""}"| ${id(bridge)}`);
  return [
    "flowchart LR",
    ...boxes,
    ...natives.map(({ name }) => `  ${id(name)}("${name}")`),
    ...drawnBridges.map((bridge) => `  ${id(bridge)}{{"${bridge}"}}`),
    ...lines,
    ...(status === undefined ? [] : Object.entries(classes).map(([name, style]) => `  classDef ${name} ${style}`)),
    ...blocked.flatMap((is, index) => (is ? [`  linkStyle ${index} ${blockedLink}`] : [])),
    "",
  ].join("\n");
}
