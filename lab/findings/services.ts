import { isStarted, valuesOf } from "../config/units.ts";
import type { NodeConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { eachWithPeer, lostAddresses, lostStates, missingAt, tell, type Rule } from "./rule.ts";

const daemons = [
  { unit: "keepalived.service", program: "keepalived", causes: "the node never holds a virtual address, and cannot take over", explains: lostAddresses },
  { unit: "conntrackd.service", program: "conntrackd", causes: "no state of a connection reaches the node, or leaves it: every flow dies at takeover", explains: lostStates },
] as const;

/** Units of packages that load rules. */
const rulesetUnits = ["nftables.service", "netfilter-persistent.service", "iptables.service", "ip6tables.service", "ipset.service", "ferm.service", "shorewall.service"];

/** Whether some file starts the program by another way than its unit's link. */
function startedOtherwise({ files }: NodeConfig, program: string): boolean {
  const start = new RegExp(String.raw`systemctl\s+(?:--\S+\s+)*(?:re)?start\s+(?:\S+\s+)*${program}\b|\b${program}\s+(?:\S+\s+)*(?:-d|--daemon|-n|--dont-fork)\b`, "u");
  return files.some(({ lines }) => lines.some((line) => !/^\s*#/u.test(line) && start.test(line)));
}

/** `service-disabled`: both daemons, and networkd, run on both nodes. Of Debian's packages none is enabled but networkd. */
export const daemonsRun: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const findings: Finding[] = [];
    for (const { unit, program, causes, explains } of daemons) {
      if (isStarted(node.units, unit)) continue;
      const masked = node.units.get(unit)?.masked;
      const isElse = startedOtherwise(node, program);
      findings.push(
        tell({
          id: "service-disabled", severity: masked === undefined && isElse ? "warning" : "error", certainty: masked === undefined && isElse ? "possible" : masked === undefined && ownUnits(node, program) ? "likely" : "certain", node,
          at: masked ?? missingAt(node, `/etc/systemd/system/multi-user.target.wants/${unit}`), wrong: `${unit} ${masked === undefined ? "is not enabled" : "is masked"} on ${node.machine}`, causes,
          remedy: masked === undefined ? `Link it: multi-user.target.wants/${unit} → /lib/systemd/system/${unit}` : "Take away what masks it", explains,
        }),
      );
    }
    const networkd = node.units.get("systemd-networkd.service")?.masked;
    if (networkd !== undefined) {
      findings.push(tell({ id: "service-disabled", severity: "error", certainty: "likely", node, at: networkd, wrong: `systemd-networkd.service is masked on ${node.machine}`, causes: "its interfaces get no addresses", remedy: "Take away what masks it", explains: lostAddresses }));
    }
    return findings;
  });

/** A unit of another name may run the program. */
function ownUnits({ units }: NodeConfig, program: string): boolean {
  return [...units.values()].some(({ name, settings }) => !name.startsWith(`${program}.`) && isStarted(units, name) && valuesOf(settings, "Service", "ExecStart").some(({ value }) => value.includes(program)));
}

const loadsRules = (node: NodeConfig, name: string): boolean =>
  rulesetUnits.includes(name) || valuesOf(node.units.get(name)?.settings ?? [], "Service", "ExecStart").some(({ value }) => /\bnft\b|ip6?tables|ipset|netfilter/u.test(value));

/** `service-disabled`, `services-differ`: what one node starts, the other starts too, rules above all. */
export const sameServices: Rule = (pair) =>
  eachWithPeer(pair).flatMap(({ node, peer }) =>
    [...peer.units.keys()]
      .filter((name) => !daemons.some(({ unit }) => unit === name) && isStarted(peer.units, name) && !isStarted(node.units, name) && !startsNamesake(node, name, peer))
      .map((name) => {
        const isRules = loadsRules(peer, name);
        const link = peer.units.get(name)?.wantedBy[0];
        const masked = node.units.get(name)?.masked;
        // Where the node loads its rules by another unit, the two differ, and no more is known.
        const hasRules = [...node.units.keys()].some((own) => loadsRules(node, own) && isStarted(node.units, own));
        return tell({
          id: isRules ? "service-disabled" : "services-differ", severity: isRules && !hasRules ? "error" : isRules ? "warning" : "hint", certainty: isRules && !hasRules ? "certain" : "possible", node,
          at: masked ?? (link === undefined ? missingAt(node, `/etc/systemd/system/${name}`) : { file: link.file.replace(/^[^/]+/u, node.machine), line: null }), also: [link],
          wrong: `${name} is started on ${peer.machine}, and not on ${node.machine}`, causes: isRules ? `${node.machine} does not have ${peer.machine}'s packet rules: what they translate and refuse is lost when it is active` : "the nodes do not do the same when they are active",
          remedy: `Enable it on ${node.machine} too`, explains: isRules ? ["flows-survive", "new-connections", "no-drops-on-survivor", "state-on-survivor"] : [],
        });
      }),
  );

/** A unit of the same purpose may carry the node's own name: `fw-1-rules.service`. */
function startsNamesake(node: NodeConfig, name: string, peer: NodeConfig): boolean {
  const namesake = name.replaceAll(peer.machine, node.machine);
  return namesake !== name && isStarted(node.units, namesake);
}

/** `start-order`: keepalived after conntrackd, or addresses come up before states can. */
export const startOrder: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const after = valuesOf(node.units.get("conntrackd.service")?.settings ?? [], "Unit", "After").find(({ value }) => value.split(/\s+/u).includes("keepalived.service"));
    if (after === undefined) return [];
    return [
      tell({
        id: "start-order", severity: "warning", certainty: "likely", node, at: after, wrong: `conntrackd starts after keepalived on ${node.machine}`, causes: "keepalived's first change of state finds no daemon to ask for states",
        remedy: "Let keepalived.service be After=conntrackd.service", explains: ["flows-survive", "replicated-before", "state-on-survivor"],
      }),
    ];
  });
