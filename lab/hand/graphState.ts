import { covers } from "../topology/address.ts";
import type { Nic } from "../topology/topology.ts";
import { vrrpWords } from "./statusText.ts";
import type { LabStatus } from "./words.ts";

/** How a machine is drawn: with the duty or a part of it, waiting for it, without any, or in trouble. */
export type MachineKind = "active" | "waiting" | "plain" | "trouble";

/** A machine of a lab that stands, as a drawing shows it. */
export interface DrawnMachine {
  readonly kind: MachineKind;
  /** State, VRRP, what it holds: short enough for a box. */
  readonly lines: readonly string[];
}

/** What is drawn of a machine. Undefined for a host that is none, as natives are. */
export function drawnMachine({ machines, broken }: LabStatus, name: string): DrawnMachine | undefined {
  const machine = machines.find((each) => each.name === name);
  if (machine === undefined) return undefined;
  const { state, firewall } = machine;
  if (state === "off") return { kind: "trouble", lines: [broken.find(({ target }) => target === name)?.id ?? "power is off"] };
  if (state === "coming up") return { kind: "trouble", lines: [state] };
  if (firewall === undefined) return { kind: "plain", lines: [state] };
  if (firewall === null) return { kind: "trouble", lines: ["no answer"] };
  const { vrrp, holds } = firewall;
  const kind = vrrp === null ? "trouble" : holds.length > 0 ? "active" : "waiting";
  return { kind, lines: [vrrpWords(vrrp), ...(holds.length === 0 ? [] : [`holds ${holds.join(" ")}`])] };
}

/** Whether a link was blocked by hand. */
export function isBlocked({ broken }: LabStatus, host: string, nic: string): boolean {
  return broken.some(({ id, target }) => id === "link-block" && target === `${host}.${nic}`);
}

/** Of the addresses that VRRP moves, those that a machine holds in a NIC's network. */
export function heldAt({ machines }: LabStatus, host: string, nic: Pick<Nic, "address">): readonly string[] {
  const holds = machines.find(({ name }) => name === host)?.firewall?.holds ?? [];
  return holds.filter((address) => covers(nic.address, address));
}

/** Who holds an address, in words. */
export function holdersOf({ machines }: LabStatus, address: string): string {
  return machines.filter(({ firewall }) => firewall?.holds.includes(address) === true).map(({ name }) => name).join(" and ") || "nobody";
}
