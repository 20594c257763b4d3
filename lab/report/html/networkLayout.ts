import { managementBridge, type MachineSpec, type Nic, type PairTopology } from "../../topology/topology.ts";

/** A machine as a box. */
export interface Box {
  readonly machine: MachineSpec;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A bridge as a line from left to right. */
export interface Line {
  /** Where its name stands: at its right end above or below it, or below its middle. */
  readonly name: "above" | "below" | "middle";
  readonly bridge: string;
  readonly y: number;
  readonly from: number;
  readonly until: number;
}

/** A NIC as an upright line from its machine's edge to its bridge. */
export interface Wire {
  readonly machine: string;
  readonly nic: Nic;
  readonly x: number;
  readonly from: number;
  readonly until: number;
  /** The side of the wire that its label stands on. */
  readonly label: "left" | "right";
}

export interface NetworkLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly wires: readonly Wire[];
}

/** Narrow enough for a phone with letters that can be read. */
const width = 360;
const margin = 8;
const endpointHeight = 40;
const firewallHeight = 118;
/** From a machine's edge to a bridge: room for the NIC's name and address. */
const wireLength = 34;
const lineGap = 22;

/**
 * Lays a topology out: the client's side on top, the server's at the bottom, the firewalls between them, and under them the bridges that
 * only firewalls are plugged into. The management bridge is left out. It follows from the topology's data alone.
 */
export function layOut(topology: PairTopology): NetworkLayout {
  const { machines, client } = topology;
  const endpoints = machines.filter(({ role }) => role === "endpoint");
  const firewalls = machines.filter(({ role }) => role === "firewall");
  const top = endpoints.filter(({ name }) => name === client);
  const bottom = endpoints.filter(({ name }) => name !== client);
  const topBridges = bridgesOf(top);
  const bottomBridges = bridgesOf(bottom).filter((bridge) => !topBridges.includes(bridge));
  const pairBridges = bridgesOf(firewalls).filter((bridge) => !topBridges.includes(bridge) && !bottomBridges.includes(bridge));

  const topLinesY = margin + endpointHeight + wireLength;
  const firewallsY = topLinesY + Math.max(0, topBridges.length - 1) * lineGap + wireLength;
  const pairLinesY = firewallsY + firewallHeight + wireLength;
  const bottomLinesY = firewallsY + firewallHeight + wireLength + pairBridges.length * (wireLength + lineGap) - (pairBridges.length > 0 ? lineGap : 0);
  const endpointsY = bottomLinesY + Math.max(0, bottomBridges.length - 1) * lineGap + wireLength;
  const lines = [
    ...topBridges.map((bridge, index): Line => ({ bridge, name: "above", y: topLinesY + index * lineGap, from: margin, until: width - margin })),
    ...pairBridges.map((bridge, index): Line => ({ bridge, name: "middle", y: pairLinesY + index * (wireLength + lineGap), from: width * 0.14, until: width * 0.86 })),
    ...bottomBridges.map((bridge, index): Line => ({ bridge, name: "below", y: bottomLinesY + index * lineGap, from: margin, until: width - margin })),
  ];
  const boxes = [...row(top, margin, endpointHeight), ...row(firewalls, firewallsY, firewallHeight), ...row(bottom, endpointsY, endpointHeight)];
  const wires = boxes.flatMap((box) => wiresOf(box, lines));
  return { width, height: endpointsY + (bottom.length > 0 ? endpointHeight : 0) + margin, boxes, lines, wires };
}

function bridgesOf(machines: readonly MachineSpec[]): string[] {
  return [...new Set(machines.flatMap(({ nics }) => nics.map(({ bridge }) => bridge)))].filter((bridge) => bridge !== managementBridge);
}

function row(machines: readonly MachineSpec[], y: number, height: number): Box[] {
  const room = (width - 2 * margin) / Math.max(1, machines.length);
  return machines.map((machine, index) => ({ machine, x: margin + index * room + 5, y, width: room - 10, height }));
}

/**
 * A NIC's wire leaves the edge that is nearer to its bridge. The farthest bridge's wire is outermost, and boxes on the right are mirrored,
 * so that no wire crosses another's label.
 */
function wiresOf({ machine, x, y, width: boxWidth, height }: Box, lines: readonly Line[]): Wire[] {
  const mirrored = x + boxWidth / 2 > width / 2 && boxWidth < width / 2;
  const reached = machine.nics.flatMap((nic) => {
    const line = lines.find(({ bridge }) => bridge === nic.bridge);
    return line === undefined ? [] : [{ nic, line, above: line.y < y }];
  });
  return reached.map(({ nic, line, above }) => {
    const beside = reached.filter((other) => other.above === above).toSorted((a, b) => Math.abs(b.line.y - y) - Math.abs(a.line.y - y));
    const inset = 14 + beside.findIndex((other) => other.nic === nic) * 36;
    return { machine: machine.name, nic, x: mirrored ? x + boxWidth - inset : x + inset, from: above ? y : y + height, until: line.y, label: mirrored ? "left" : "right" };
  });
}
