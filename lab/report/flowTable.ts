import Table from "cli-table3";
import type pc from "picocolors";
import type { Endpoint } from "../evidence/ledger.ts";
import type { FlowResult } from "../evidence/run.ts";
import { addressWithPort } from "../topology/address.ts";
import { borderless, linesOf } from "./borderless.ts";

type Colors = ReturnType<typeof pc.createColors>;

/** More flows than this are told by kind and mode, with the worst ones by name. */
export const everyFlow = 60;
export const worst = 10;

/** From this width on a flow fits on one line. */
const oneLine = 140;

/** The flows of a run as a table: every one of them up to 60, else sums by kind and mode and the worst ten. */
export function flowLines(flows: readonly FlowResult[], width: number, colors: Colors): string[] {
  if (flows.length === 0) return ["no flow was opened"];
  if (flows.length <= everyFlow) return flowTable(flows, width, colors);
  const shown = flows.toSorted(byBadness).slice(0, worst);
  return [
    ...summary(flows, colors),
    "",
    `${flows.length} flows; the worst ${shown.length}:`,
    ...flowTable(shown, width, colors),
  ];
}

/** Dead ones first, then those with the most that must not be, then the longest stall. */
export function byBadness(a: FlowResult, b: FlowResult): number {
  const flaws = (flow: FlowResult) => flow.corrupt + flow.duplicated + flow.reordered + flow.resets + (flow.kind === "udp" ? 0 : flow.lost);
  return Number(a.survived) - Number(b.survived) || flaws(b) - flaws(a) || (b.stallMs ?? 0) - (a.stallMs ?? 0);
}

const numbers = (width: number) => ["sent", "received", "lost", "dup", "reord", width >= oneLine ? "longest stall" : "stall", "survived"];

function flowTable(flows: readonly FlowResult[], width: number, colors: Colors): string[] {
  const wide = width >= oneLine;
  const table = tableOf([...(wide ? ["flow", "kind", "mode", "client sees", "after NAT"] : ["flow", "client sees / NAT"]), ...numbers(width)], wide ? 5 : 2, wide ? 2 : 1, colors);
  for (const flow of flows) {
    const seen = `${text(flow.tuple.source)} > ${text(flow.tuple.destination)}`;
    const nat = `${text(flow.natTuple.source)} > ${text(flow.natTuple.destination)}`;
    const name = wide ? [flow.id, flow.kind, flow.mode, seen, nat] : [`${flow.id}\n${flow.kind} ${flow.mode}`, `${seen}\n${nat}`];
    table.push([...name, ...figures(flow, colors), survival(flow, colors)]);
  }
  return linesOf(table);
}

function survival({ survived, resets }: FlowResult, colors: Colors): string {
  if (survived) return colors.green("yes");
  return colors.red(resets > 0 ? "no, reset" : "no");
}

function summary(flows: readonly FlowResult[], colors: Colors): string[] {
  const table = tableOf(["kind", "mode", "flows", ...numbers(oneLine)], 2, 2, colors);
  for (const group of groupedFlows(flows).values()) {
    const first = group[0];
    if (first === undefined) continue;
    const sum = (count: (flow: FlowResult) => number) => group.reduce((total, flow) => total + count(flow), 0);
    const stalls = group.flatMap(({ stallMs }) => (stallMs === null ? [] : [stallMs]));
    const total = {
      sent: sum((flow) => flow.sent),
      received: sum((flow) => flow.received),
      lost: sum((flow) => flow.lost),
      duplicated: sum((flow) => flow.duplicated),
      reordered: sum((flow) => flow.reordered),
      stallMs: stalls.length === 0 ? null : Math.max(...stalls),
    };
    const survived = group.filter((flow) => flow.survived).length;
    const paint = survived === group.length ? colors.green : colors.red;
    table.push([first.kind, first.mode, group.length, ...figures(total, colors), paint(`${survived} of ${group.length}`)]);
  }
  return linesOf(table);
}

/** Flows by kind and mode, in the order in which they come. */
export function groupedFlows(flows: readonly FlowResult[]): ReadonlyMap<string, FlowResult[]> {
  const groups = new Map<string, FlowResult[]>();
  for (const flow of flows) {
    const group = groups.get(`${flow.kind} ${flow.mode}`);
    if (group === undefined) groups.set(`${flow.kind} ${flow.mode}`, [flow]);
    else group.push(flow);
  }
  return groups;
}

type Figures = Pick<FlowResult, "sent" | "received" | "lost" | "duplicated" | "reordered" | "stallMs">;

function figures({ sent, received, lost, duplicated, reordered, stallMs }: Figures, colors: Colors): string[] {
  const flaw = (count: number) => (count > 0 ? colors.yellow(String(count)) : "0");
  return [String(sent), String(received), flaw(lost), flaw(duplicated), flaw(reordered), stallMs === null ? "-" : `${stallMs} ms`];
}

function tableOf(head: readonly string[], names: number, gap: number, colors: Colors): Table.Table {
  return new Table({
    head: head.map(colors.bold),
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": gap },
    colAligns: head.map((_, index) => (index < names || index === head.length - 1 ? "left" : "right")),
  });
}

function text({ address, port }: Endpoint): string {
  return addressWithPort(address, port);
}
