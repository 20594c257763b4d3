import type { MachineShell } from "../../lab/machine/shell.ts";
import { vrrpCommand } from "../../lab/observe/vrrp.ts";
import type { Facts } from "./facts.ts";
import { addressTable, linkTable, routeTable, ruleTable } from "./networkFacts.ts";
import { replicationTable, rulesetTable, socketTable, vrrpTable } from "./packetFacts.ts";
import { fileTable, hostnameTable, journalTable, managerTable, moduleTable, sysctlTable, unitTable, userTable } from "./systemFacts.ts";

const folders = "/etc /root /usr/local /var/spool/cron /run/systemd/system /run/systemd/network";

/** What is not running answers nothing, and that is a fact too. */
const ifRuns = (unit: string, command: string): string => `if systemctl --quiet is-active ${unit}; then (${command}); fi`;

/**
 * What a machine is asked, in one go: a shell costs an emulated machine more than what it asks. Modules first, as ss and nft load some of their
 * own to find out.
 */
const questions = {
  modules: "cut -d' ' -f1 /proc/modules",
  // Some of the folders are not on every machine.
  files: `find $(ls -d ${folders} 2>/dev/null) -printf '%y\\t%m\\t%U:%G\\t%p\\t%l\\n'`,
  sums: `find $(ls -d ${folders} 2>/dev/null) -type f -exec sha256sum {} +`,
  users: "cat /etc/passwd",
  hostname: "cat /proc/sys/kernel/hostname",
  addresses: "ip -j addr",
  links: "ip -j link",
  routes: "ip -4 -j route show table all",
  routes6: "ip -6 -j route show table all",
  rules: "ip -4 -j rule",
  rules6: "ip -6 -j rule",
  // Some can only be written, which sysctl tells on standard error.
  sysctls: "sysctl -a 2>/dev/null",
  units: "systemctl list-units --plain --no-legend --no-pager",
  manager: "systemctl show --no-pager",
  journal:
    "tag=$(cat /proc/sys/kernel/random/uuid); for level in notice info; do logger -t $tag -p user.$level $level; done; journalctl --sync; journalctl -q -t $tag -o cat --no-pager",
  ruleset: "nft -j list ruleset",
  sockets: "ss -Hlntup",
  vrrp: ifRuns("keepalived.service", vrrpCommand),
  replication: ifRuns("conntrackd.service", "conntrackd -s"),
} as const;
type Question = keyof typeof questions;

const mark = "=== fwlab ";

/** Looks at a machine, in the main network namespace. @throws Failure when it does not answer, or in another form than its tools have. */
export async function lookAt(shell: MachineShell): Promise<Facts> {
  const script = Object.entries(questions).map(([name, command]) => `echo '${mark}${name}'\n${command}\n`);
  const said = await shell.must("sh -eu", { input: script.join("") });
  const answers = new Map(said.split(new RegExp(`^${mark}`, "mu")).map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]));
  const answer = (question: Question): string => {
    const text = answers.get(question);
    if (text === undefined) throw new Error(`${shell.name} gave no answer about ${question}`);
    return text;
  };
  return {
    files: fileTable(answer("files"), answer("sums")),
    users: userTable(answer("users")),
    hostname: hostnameTable(answer("hostname")),
    addresses: addressTable(answer("addresses")),
    links: linkTable(answer("links")),
    routes: routeTable(answer("routes"), answer("routes6")),
    rules: ruleTable(answer("rules"), answer("rules6")),
    sysctls: sysctlTable(answer("sysctls")),
    ruleset: rulesetTable(answer("ruleset")),
    modules: moduleTable(answer("modules")),
    units: unitTable(answer("units")),
    manager: managerTable(answer("manager")),
    journal: journalTable(answer("journal")),
    sockets: socketTable(answer("sockets")),
    vrrp: vrrpTable(answer("vrrp")),
    replication: replicationTable(answer("replication")),
  };
}
