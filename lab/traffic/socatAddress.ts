import { isIPv6 } from "node:net";

/** How socat(1) is told of an address: the digit in its keywords (`TCP4-LISTEN`, `IP6-SENDTO`), and the address as it stands before a colon. */
export function socatAddress(address: string): { readonly family: "4" | "6"; readonly host: string } {
  return isIPv6(address) ? { family: "6", host: `[${address}]` } : { family: "4", host: address };
}
