import { z } from "zod";
import type { Address } from "../evidence/observation.ts";
import { canonicalAddress } from "../topology/address.ts";
import { virtualRouterOf } from "../topology/virtualRouter.ts";
import { parsedJson } from "./parsed.ts";

const answer = z.array(
  z.object({
    ifname: z.string(),
    /** The NIC below, of an interface that lies on one. */
    link: z.string().nullish(),
    /** The interface's MAC; not all kinds have one. */
    address: z.string().optional(),
    addr_info: z.array(z.object({ family: z.string(), local: z.string(), prefixlen: z.number().int(), tentative: z.boolean().optional(), dadfailed: z.boolean().optional() })),
  }),
);

/**
 * Addresses of a machine, out of `ip -j addr`: IPv4 and IPv6, loopback included. An IPv6 address that the kernel does not use is none: because it still
 * asks whether another machine has it (tentative), or because one has (RFC 4862, 5.4). An address on an interface with a virtual router's MAC, as
 * keepalived makes them (use_vmac), is on the NIC that this interface lies on.
 * @throws Failure when the answer has another form. Source: ip-address(8).
 */
export function parseAddresses(text: string): Address[] {
  return parsedJson("ip -j addr", answer, text).flatMap((link) =>
    link.addr_info
      .filter(({ tentative = false, dadfailed = false }) => !tentative && !dadfailed)
      .map((info) => ({ nic: nicOf(link), address: canonicalAddress(info.local), prefixLength: info.prefixlen })),
  );
}

function nicOf({ ifname, link, address = "" }: Omit<z.infer<typeof answer>[number], "addr_info">): string {
  return virtualRouterOf(address.toLowerCase()) === undefined ? ifname : (link ?? ifname);
}
