import type { Observation } from "../../evidence/observation.ts";

/** By firewall: of the addresses that VRRP moves, those that it has, or why nobody knows. */
export type Holders = ReadonlyMap<string, Holding>;
type Holding = readonly string[] | "off, or not seen" | "gave no answer";

/** What a look at the firewalls tells of the addresses that VRRP moves, in their order. */
export function holdersIn(observation: Observation, firewalls: readonly string[], moved: readonly string[]): Holders {
  return new Map(
    firewalls.map((name): [string, Holding] => {
      const addresses = observation.firewalls[name]?.addresses;
      if (addresses === undefined) return [name, "off, or not seen"];
      if (!addresses.ok) return [name, "gave no answer"];
      return [name, moved.filter((address) => addresses.data.some((own) => own.address === address))];
    }),
  );
}
