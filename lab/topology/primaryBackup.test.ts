import { isIP } from "node:net";
import { expect, test } from "vitest";
import { canonicalAddress } from "./address.ts";
import { primaryBackup, primaryBackupIpv6 } from "./primaryBackup.ts";
import { hostPart, managementNic, type PairTopology } from "./topology.ts";

/** A topology without its data addresses. */
function withoutAddresses({ machines, virtualAddresses, ...rest }: PairTopology): object {
  return {
    ...rest,
    name: "",
    machines: machines.map(({ nics, ...machine }) => ({ ...machine, nics: nics.map((nic) => ({ ...nic, address: nic.name === managementNic ? nic.address : "" })) })),
    virtualAddresses: virtualAddresses.map((virtual) => ({ ...virtual, address: "" })),
  };
}

test("over IPv6 the pair differs in its data addresses alone, machine for machine", () => {
  expect(withoutAddresses(primaryBackupIpv6)).toEqual(withoutAddresses(primaryBackup));
  const ends = (topology: PairTopology) => topology.machines.flatMap(({ nics }) => nics.filter(({ name }) => name !== managementNic).map(({ address }) => /(\d+)\/\d+$/u.exec(address)?.[1]));
  expect(ends(primaryBackupIpv6)).toEqual(ends(primaryBackup));
});

test.each([
  [primaryBackup, 4],
  [primaryBackupIpv6, 6],
])("all data addresses are of one version, canonical, and each its owner's alone", ({ machines, virtualAddresses }, version) => {
  const own = machines.flatMap(({ nics }) => nics.filter(({ name }) => name !== managementNic).map(({ address }) => hostPart(address)));
  const all = [...own, ...virtualAddresses.map(({ address }) => address)];
  expect(all.filter((address) => isIP(address) !== version || canonicalAddress(address) !== address)).toEqual([]);
  expect(new Set(all).size).toBe(all.length);
});
