import type { SandwichTopology } from "../../topology/sandwich.ts";
import { managementBridge, type MachineSpec, type NativeHost, type Nic } from "../../topology/topology.ts";

/** A machine or a native host as a box. */
export interface HostBox {
  readonly host: Pick<MachineSpec | NativeHost, "name" | "nics">;
  readonly kind: "client" | "server" | MachineSpec["role"];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A bridge as a line from left to right, with its name at its right end above it. */
export interface BridgeLine {
  readonly bridge: string;
  readonly y: number;
  readonly from: number;
  readonly until: number;
}

/** A NIC as an upright line from its box's edge to its bridge. */
export interface HostWire {
  readonly nic: Nic;
  readonly x: number;
  readonly from: number;
  readonly until: number;
}

export interface SandwichLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly HostBox[];
  readonly lines: readonly BridgeLine[];
  readonly wires: readonly HostWire[];
}

/** Narrow enough for a phone with letters that can be read. */
const width = 360;
const margin = 8;
const lowHeight = 40;
const firewallHeight = 100;
/** From a box's edge to a bridge: room for the NIC's name and address. */
const wireLength = 34;
const gap = 10;

interface Row {
  readonly hosts: readonly Omit<HostBox, "x" | "y" | "width" | "height">[];
  readonly height: number;
}

/**
 * Lays a sandwich out from the clients' side, on top, to the servers': who asks, and the directors; the firewalls; the router; who answers. Between two rows lie the bridges that both are plugged into, and beside
 * them those that the upper row alone is. The management bridge is left out. It follows from the topology's data alone.
 */
export function layOutSandwich({ clients, servers, machines }: SandwichTopology): SandwichLayout {
  const of = (role: MachineSpec["role"]) => machines.filter((machine) => machine.role === role).map((host) => ({ host, kind: role }));
  const rows: Row[] = [
    { hosts: [{ host: clients, kind: "client" }, ...of("director")], height: lowHeight },
    { hosts: of("firewall"), height: firewallHeight },
    { hosts: of("router"), height: lowHeight },
    { hosts: servers.map((host) => ({ host, kind: "server" as const })), height: lowHeight },
  ];
  const boxes: HostBox[] = [];
  const lines: BridgeLine[] = [];
  let y = margin;
  for (const [index, { hosts, height }] of rows.entries()) {
    const room = (width - 2 * margin + gap) / Math.max(1, hosts.length);
    boxes.push(...hosts.map((each, place) => ({ ...each, x: margin + place * room, y, width: room - gap, height })));
    y += height;
    const below = bridgesBelow(rows, index, lines.map(({ bridge }) => bridge));
    for (const together of below) {
      y += wireLength;
      // Bridges that lead to one box each lie beside each other, as their boxes do.
      const share = (width - 2 * margin + gap) / together.length;
      lines.push(...together.map((bridge, place) => ({ bridge, y, from: margin + place * share, until: margin + (place + 1) * share - gap })));
    }
    if (below.length > 0) y += wireLength;
  }
  return { width, height: y + margin, boxes, lines, wires: wiresOf(boxes, lines) };
}

/** The bridges under a row, line by line: first those that it alone is plugged into, then those to the next row, beside each other where each leads to one host of it. */
function bridgesBelow(rows: readonly Row[], index: number, drawn: readonly string[]): string[][] {
  const bridgesOf = (row: Row | undefined) => [...new Set((row?.hosts ?? []).flatMap(({ host }) => host.nics.map(({ bridge }) => bridge)))].filter((bridge) => bridge !== managementBridge && !drawn.includes(bridge));
  const own = bridgesOf(rows[index]);
  const next = bridgesOf(rows[index + 1]);
  const [alone, shared] = [own.filter((bridge) => !next.includes(bridge)), own.filter((bridge) => next.includes(bridge))];
  return [...alone.map((bridge) => [bridge]), ...(shared.length > 0 ? [shared] : [])];
}

/** Each wire leaves the edge that is nearer to its bridge; those of one edge stand beside each other, the farthest bridge's outermost. */
function wiresOf(boxes: readonly HostBox[], lines: readonly BridgeLine[]): HostWire[] {
  return boxes.flatMap(({ host, x, y, width: boxWidth, height }) => {
    const reached = host.nics.flatMap((nic) => {
      const line = lines.find(({ bridge }) => bridge === nic.bridge);
      return line === undefined ? [] : [{ nic, line, above: line.y < y }];
    });
    return reached.map(({ nic, line, above }): HostWire => {
      const beside = reached.filter((other) => other.above === above).toSorted((a, b) => Math.abs(b.line.y - y) - Math.abs(a.line.y - y));
      const inset = 12 + beside.findIndex((other) => other.nic === nic) * 14;
      // A bridge that spans a part of the picture only is met within it.
      const met = Math.min(Math.max(x + inset, line.from + 12), Math.min(x + boxWidth, line.until) - 4);
      return { nic, x: met, from: above ? y : y + height, until: line.y };
    });
  });
}
