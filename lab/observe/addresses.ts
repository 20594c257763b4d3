import { z } from "zod";
import type { Address } from "../evidence/observation.ts";
import { parsedJson } from "./parsed.ts";

const answer = z.array(
  z.object({
    ifname: z.string(),
    addr_info: z.array(z.object({ family: z.string(), local: z.string(), prefixlen: z.number().int() })),
  }),
);

/** Addresses of a machine, out of `ip -j addr`: IPv4 and IPv6, loopback included. @throws Failure when the answer has another form. Source: ip-address(8). */
export function parseAddresses(text: string): Address[] {
  return parsedJson("ip -j addr", answer, text).flatMap((link) =>
    link.addr_info.map((info) => ({ nic: link.ifname, address: info.local, prefixLength: info.prefixlen })),
  );
}
