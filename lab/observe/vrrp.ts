import { z } from "zod";
import type { VrrpInstance } from "../evidence/observation.ts";
import { canonicalAddress } from "../topology/address.ts";
import { hostPart } from "../topology/topology.ts";
import { parsedJson } from "./parsed.ts";

/** Numbers of keepalived's states. Source: keepalived 2.2.7 keepalived/include/vrrp.h (VRRP_STATE_*). */
const states = ["INIT", "BACKUP", "MASTER", "FAULT"] as const;

const instance = z.object({
  data: z.object({
    iname: z.string(),
    ifp_ifname: z.string(),
    effective_priority: z.number().int(),
    vrid: z.number().int(),
    vips: z.array(z.string()).optional(),
    state: z
      .number()
      .int()
      .min(0)
      .max(states.length - 1),
  }),
});

/** 2.2.7 writes the array itself; later versions an object that holds it under `vrrp`. */
const answer = z.union([z.array(instance).min(1), z.object({ vrrp: z.array(instance).min(1) })]);

/**
 * Prints what `parseVrrp` reads. keepalived writes its state into a file when it is told to, and says nowhere when it is done: the file counts
 * when its size holds still.
 * Removed first, so that an old answer is never taken for a new one. Source: keepalived(8), `--signum`.
 */
export const vrrpCommand = [
  "rm -f /tmp/keepalived.json",
  'kill -s "$(keepalived --signum=JSON)" "$(cat /run/keepalived.pid)" || exit 1',
  "last=0",
  "for try in $(seq 50); do sleep 0.1; size=$(stat -c %s /tmp/keepalived.json 2>/dev/null || echo 0); [ \"$size\" -gt 0 ] && [ \"$size\" = \"$last\" ] && exec cat /tmp/keepalived.json; last=$size; done",
  "echo 'keepalived wrote no /tmp/keepalived.json within 5 s' >&2; exit 1",
].join("; ");

/**
 * VRRP instances out of the file that keepalived writes on `kill -s $(keepalived --signum=JSON)`.
 * @throws Failure when the file has another form, a state is unknown, or there is no instance.
 * Source: keepalived 2.2.7 keepalived/vrrp/vrrp_json.c.
 */
export function parseVrrp(text: string): VrrpInstance[] {
  const told = parsedJson("keepalived's JSON file", answer, text);
  return (Array.isArray(told) ? told : told.vrrp).map(({ data }) => ({
    name: data.iname,
    nic: data.ifp_ifname,
    state: states[data.state] ?? "UNKNOWN",
    priority: data.effective_priority,
    routerId: data.vrid,
    // As ip-address(8) has it: "192.168.1.100/24 dev eth0 scope global".
    addresses: (data.vips ?? []).map((text) => canonicalAddress(hostPart(text.split(" ")[0] ?? ""))),
  }));
}
