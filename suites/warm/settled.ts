import type { Progress } from "../../lab/progress/progress.ts";
import type { Lab } from "../../lab/run/lab.ts";
import { waitUntil } from "../../lab/run/waitUntil.ts";
import { ownershipLook } from "../../lab/run/watchStates.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";

/** What a machine starts or stops at the moment: nothing, when it is quiet. */
const jobs = "systemctl list-jobs --no-legend --no-pager | grep -v '^No jobs' || true";

/** A firewall that came up much later than the other waits for half a minute before it takes the addresses back. */
const withinMs = 120_000;

/** The last word of keepalived's script of each firewall, and nothing else: what it does on the way to a state is over. */
const lastWord = "journalctl -q -t ha-notify -o cat -n 1 --no-pager";

/**
 * Waits until the active firewall has the virtual addresses, both have done all that belongs to their states, and no machine starts anything
 * any more.
 * @throws Error when that is not so in time.
 */
export async function settled(lab: Lab, options: { readonly progress: Progress; readonly signal: AbortSignal }): Promise<void> {
  const { signal } = options;
  const { active, backup, machines } = primaryBackup;
  const shellOf = (name: string) => lab.machine(name).shell;
  const said = async (name: string): Promise<string> => (await shellOf(name).must(lastWord, { signal })).trim();
  const look = async () => {
    const owned = await ownershipLook(active, [shellOf(active), shellOf(backup)], primaryBackup, signal);
    if (!owned.reached) return { ...owned, value: undefined };
    const [activeSaid, backupSaid] = await Promise.all([said(active), said(backup)]);
    const underWay = (await Promise.all(machines.map(({ name }) => shellOf(name).must(jobs, { signal })))).join("").trim();
    return {
      reached: activeSaid === "primary" && backupSaid === "backup" && underWay === "",
      seen: `${active} says "${activeSaid}", ${backup} says "${backupSaid}", under way: ${underWay || "nothing"}`,
      value: undefined,
    };
  };
  const { reached, seen } = await waitUntil({ what: `${active} to have the duty, and all to be quiet`, look, within: withinMs, ...options });
  if (!reached) throw new Error(`the lab does not settle within ${withinMs / 1000} s: ${seen}`);
}
