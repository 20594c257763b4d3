import { z } from "zod";
import type { Neighbour } from "../evidence/observation.ts";
import { canonicalAddress } from "../topology/address.ts";
import { parsedJson } from "./parsed.ts";

const answer = z.array(z.object({ dst: z.string(), dev: z.string(), lladdr: z.string().optional(), state: z.array(z.string()) }));

/** Neighbour entries of a machine (ARP and ND), out of `ip -j neigh`. @throws Failure when the answer has another form. Source: ip-neighbour(8). */
export function parseNeighbours(text: string): Neighbour[] {
  return parsedJson("ip -j neigh", answer, text).map((entry) => ({
    address: canonicalAddress(entry.dst),
    nic: entry.dev,
    ...(entry.lladdr !== undefined && { mac: entry.lladdr.toLowerCase() }),
    state: entry.state,
  }));
}
