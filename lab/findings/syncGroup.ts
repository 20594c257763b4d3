import { posix } from "node:path";
import type { VrrpInstance } from "../config/keepalived.ts";
import { fileAt } from "../config/nodeFiles.ts";
import type { Finding } from "../evidence/finding.ts";
import { sameAddress } from "./addresses.ts";
import { lostAddresses, lostStates, tell, type Rule } from "./rule.ts";

/** `sync-group-missing`, `group-member-unknown`: the addresses of both sides are on one node, or ways become asymmetric. */
export const syncGroup: Rule = ({ nodes, topology: { virtualAddresses } }) =>
  nodes.flatMap((node) => {
    const { instances = [], groups = [] } = node.keepalived ?? {};
    const findings: Finding[] = groups.flatMap(({ name, members }) =>
      members
        .filter(({ value }) => instances.every((instance) => instance.name !== value))
        .map((member) =>
          tell({
            id: "group-member-unknown", severity: "error", certainty: "certain", node, at: member, wrong: `the sync group ${name} names ${member.value}, and there is no such vrrp_instance`, causes: "the addresses of that side do not move with the others",
            remedy: `The instances are ${instances.map((instance) => instance.name).join(", ")}`, explains: lostAddresses,
          }),
        ),
    );
    const holders = instances.filter(({ virtualIps }) => virtualIps.some((ip) => virtualAddresses.some(({ address }) => sameAddress(address, ip.address))));
    const [first] = holders;
    if (first === undefined || holders.length < 2) return findings;
    const inOne = groups.some(({ members }) => holders.every(({ name }) => members.some(({ value }) => value === name)));
    if (inOne || holders.every((holder) => followsAll(holder, holders))) return findings;
    const group = groups.find(({ members }) => members.some(({ value }) => holders.some(({ name }) => name === value)));
    const left = group === undefined ? holders : holders.filter(({ name }) => group.members.every(({ value }) => value !== name));
    findings.push(
      tell({
        id: "sync-group-missing", severity: "warning", certainty: "certain", node, at: group ?? first, also: holders.filter((holder) => holder !== first || group !== undefined),
        wrong: group === undefined ? `no vrrp_sync_group holds ${holders.map(({ name }) => name).join(" and ")} together` : `the sync group ${group.name} leaves out ${left.map(({ name }) => name).join(" and ")}`,
        causes: "when one side fails, its address moves and the other's stays: packets go out by one firewall and come back by the other", remedy: "Put all instances of the pair's addresses into one vrrp_sync_group", explains: ["vips-moved", "flows-survive"],
      }),
    );
    return findings;
  });

/** Each instance fails with any of the others' interfaces: what a group does, said in another way. */
function followsAll({ interface: own, trackedInterfaces, weightedInterfaces }: VrrpInstance, holders: readonly VrrpInstance[]): boolean {
  const tracked = trackedInterfaces.map(({ value }) => value).filter((name) => weightedInterfaces.every(({ value }) => value !== name));
  return holders.every((holder) => holder.interface?.value === own?.value || tracked.includes(holder.interface?.value ?? ""));
}

/** `notify-name`: a script that listens for a group's or an instance's name, which is another. */
export const notifyNames: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const { instances = [], groups = [], globals } = node.keepalived ?? {};
    const scripts = [...(globals?.fifoScripts ?? []), ...groups.flatMap(({ notifies }) => notifies), ...instances.flatMap(({ notifies }) => notifies)].map(({ command }) => posix.normalize(command[0]));
    return [...new Set(scripts)].flatMap((path) => {
      const script = fileAt(node, path);
      return (script?.lines ?? []).flatMap((text, index) => {
        if (script === undefined || /^\s*#/u.test(text)) return [];
        const [, kind, name] = /\b(GROUP|INSTANCE)[ :]?\\?"([\w.-]+)\\?"/u.exec(text) ?? [];
        const known = kind === "GROUP" ? groups : instances;
        if (kind === undefined || name === undefined || known.some((each) => each.name === name)) return [];
        return [
          tell({
            id: "notify-name", severity: "error", certainty: "likely", node, at: { file: script.file, line: index + 1 }, also: [known[0]], wrong: `the script waits for ${kind} "${name}", which keepalived.conf does not have`,
            causes: "no change of state is answered: no state is committed at takeover", remedy: known.length === 0 ? `keepalived.conf has no ${kind.toLowerCase()}` : `Wait for ${known.map((each) => `"${each.name}"`).join(" or ")}`, explains: lostStates,
          }),
        ];
      });
    });
  });
