import Table from "cli-table3";
import { borderless, linesOf } from "../report/borderless.ts";
import type { LabStatus, StatusMachine } from "./words.ts";

/** A standing lab at one moment, for people. @param nowMs host's epoch clock. */
export function statusText(name: string, status: LabStatus, nowMs: number): string {
  const { topology, config, accelerator, upSinceMs, machines, natives, flows, broken, snapshots, graphical } = status;
  const table = new Table({ head: ["machine", "role", "state", "address", "VRRP", "holds", "conntrack", "replication"], chars: borderless, style: { head: [], border: [], "padding-left": 0, "padding-right": 2 } });
  table.push(...machines.map(row));
  const facts: [string, string][] = [
    ["lab", `${name}: ${topology}, config ${config}, ${accelerator}, up for ${span(nowMs - upSinceMs)}`],
    ...(natives.length > 0 ? [["natives", natives.join(", ")] satisfies [string, string]] : []),
    ["flows", flowsText(flows)],
    ["broken", broken.length === 0 ? "nothing, by hand" : broken.map(({ id, target, atMs }) => `${id} of ${target}, ${span(nowMs - atMs)} ago`).join("; ")],
    ...(graphical.length > 0 ? [["graphical", graphical.map((machine) => `fwlab viewer ${machine}`).join(", ")] satisfies [string, string]] : []),
    ...(snapshots.length > 0 ? [["snapshots", snapshots.join(", ")] satisfies [string, string]] : []),
  ];
  return [...linesOf(table), "", ...facts.map(([what, text]) => `${what.padEnd(10)}${text}`), ""].join("\n");
}

function row({ name, role, state, address, firewall }: StatusMachine): string[] {
  const start = [name, role, state, address];
  if (firewall === undefined) return [...start, "-", "-", "-", "-"];
  if (firewall === null) return [...start, "no answer", "-", "-", "-"];
  const { vrrp, holds, conntrackEntries, replication } = firewall;
  const states = vrrpWords(vrrp);
  const health = replication === null ? "no cache" : `${replication.internal} own, ${replication.external} of the other's${replication.lost + replication.malformed > 0 ? `, ${replication.lost} lost, ${replication.malformed} malformed` : ""}`;
  return [...start, states, holds.join(" ") || "none", conntrackEntries === null ? "-" : String(conntrackEntries), health];
}

/** A firewall's VRRP state; instance by instance where they disagree. */
export function vrrpWords(vrrp: NonNullable<StatusMachine["firewall"]>["vrrp"]): string {
  if (vrrp === null) return "no keepalived";
  return new Set(vrrp.map(({ state }) => state)).size === 1 ? (vrrp[0]?.state ?? "-") : vrrp.map(({ name, state }) => `${name} ${state}`).join(", ");
}

function flowsText(flows: LabStatus["flows"]): string {
  if (flows === null) return "none were opened";
  const { open, moving, still } = flows;
  return `${moving} of ${open} moving${still.length === 0 ? "" : `; ${still.slice(0, 5).join(", ")}${still.length > 5 ? ` and ${still.length - 5} more` : ""} ${still.length === 1 ? "stands" : "stand"} still`}`;
}

function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
