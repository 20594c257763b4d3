/** MACs of virtual routers, which a master alone uses: of IPv4 and of IPv6 (RFC 5798, 7.3). */
const virtualRouterMac = /^00:00:5e:00:0[12]:(?<id>[\da-f]{2})$/u;

/** The virtual router (VRID) that a MAC in lower case is of; undefined for a MAC of a NIC's own. */
export function virtualRouterOf(mac: string): number | undefined {
  const id = virtualRouterMac.exec(mac)?.groups?.["id"];
  return id === undefined ? undefined : Number.parseInt(id, 16);
}
