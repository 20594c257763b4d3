import { z } from "zod";
import type { Address } from "../evidence/observation.ts";
import { canonicalAddress } from "../topology/address.ts";
import { parsedJson } from "./parsed.ts";

const answer = z.array(
  z.object({
    ifname: z.string(),
    addr_info: z.array(z.object({ family: z.string(), local: z.string(), prefixlen: z.number().int(), tentative: z.boolean().optional(), dadfailed: z.boolean().optional() })),
  }),
);

/**
 * Addresses of a machine, out of `ip -j addr`: IPv4 and IPv6, loopback included. An IPv6 address that the kernel does not use is none: because it still
 * asks whether another machine has it (tentative), or because one has (RFC 4862, 5.4).
 * @throws Failure when the answer has another form. Source: ip-address(8).
 */
export function parseAddresses(text: string): Address[] {
  return parsedJson("ip -j addr", answer, text).flatMap((link) =>
    link.addr_info
      .filter(({ tentative = false, dadfailed = false }) => !tentative && !dadfailed)
      .map((info) => ({ nic: link.ifname, address: canonicalAddress(info.local), prefixLength: info.prefixlen })),
  );
}
