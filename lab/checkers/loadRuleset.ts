import { fileAt, type NodeFiles } from "../config/nodeFiles.ts";
import type { RulesetAnswers } from "../config/readRuleset.ts";
import { readUnits } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, checkerSeconds, type Asking } from "./asking.ts";
import { findingsFrom, type Checker } from "./complaint.ts";
import { iptablesComplaints } from "./iptablesCheck.ts";
import { nftComplaints, usualRuleset } from "./nftCheck.ts";
import { parseServices, rulesetServices } from "./rulesetUnits.ts";

export const loadChecker: Checker = {
  id: "ruleset-load",
  causes: "the node boots without the rules that it is to load",
  remedy: "Start the unit on the node, and see what it says",
  explains: ["steady-before", "flows-survive", "new-connections"],
};

/** Where the services' own words are put: in the idle machine there is no journal. */
const folder = "/run/fwlab-check";

/** A script that never ends, that says more than it should, or that starts itself again and again, is bounded by these. */
const bounds = `[Service]\nStandardOutput=append:${folder}/%n\nStandardError=append:${folder}/%n\nTimeoutStartSec=10\nLimitFSIZE=1M\nTasksMax=200\nMemoryMax=96M\n`;

/** The services that load packet rules and that a boot starts, in its order, each bounded from now on. */
export async function servicesOfRules(asking: Asking, node: NodeFiles): Promise<string[]> {
  const dropIn = "/run/systemd/system/service.d";
  const [, listed] = await Promise.all([
    ask(asking, `mkdir -p ${folder} ${dropIn} && printf %s ${quoted(bounds)} > ${dropIn}/zz-fwlab-check.conf && systemctl daemon-reload`),
    // Of sysinit.target first: they come first.
    ask(asking, "for target in sysinit.target multi-user.target; do systemctl list-dependencies --plain $target; done | grep -o '[^ ]*\\.service$' | awk '!seen[$0]++' | xargs systemctl show -p Id -p ExecStartPre -p ExecStart -p ExecStartPost"),
  ]);
  return rulesetServices(parseServices(listed.output), node);
}

/**
 * Loads what a boot would load of packet rules: starts, alone and one after the other, each service that loads some. What
 * the kernel then has is the ruleset, whoever wrote it: nft, iptables-restore or a script.
 */
export async function loadRuleset(asking: Asking, node: NodeFiles, services: readonly string[]): Promise<Finding[]> {
  const found = services.map(async (name) => {
    const started = await ask(asking, `systemctl start --job-mode=ignore-dependencies ${quoted(name)}`, checkerSeconds);
    if (started.exitCode === 0) return [];
    const said = await ask(asking, `tail -c 4096 ${quoted(`${folder}/${name}`)}; echo; systemctl show -p Result ${quoted(name)}`);
    return loadFindings(node, name, said.output);
  });
  return (await Promise.all(found)).flat();
}

/** Why a service that loads rules failed, by what it said: at the file and line that nft or iptables-restore names, else at the unit. */
export function loadFindings(node: NodeFiles, name: string, said: string): Finding[] {
  const unit = readUnits(node).get(name);
  const own = unit?.files[0]?.path ?? (name === "nftables.service" && fileAt(node, usualRuleset) !== undefined ? usualRuleset : `/etc/systemd/system/${name}`);
  const result = /^Result=(.*)$/mu.exec(said)?.[1] ?? "unknown";
  const words = said.replace(/^Result=.*$/mu, "").trim();
  if (/^\S[^:\n]*:\d+:\d+-\d+: Error: /mu.test(words)) return findingsFrom(node, loadChecker, nftComplaints(words, own));
  if (/tables-restore/u.test(words)) {
    const [complaint] = iptablesComplaints(words, own);
    if (complaint !== undefined) return findingsFrom(node, loadChecker, [{ ...complaint, line: null, text: `${name}: ${complaint.text}` }]);
  }
  const last = words.split("\n").at(-1) ?? "";
  return findingsFrom(node, loadChecker, [
    {
      path: own,
      line: null,
      text: result === "timeout" ? `${name} had not ended after 10 s, and was ended` : `${name} fails (${result})${last === "" ? "" : `: ${last}`}`,
      severity: "error",
      // Without the network that a boot has by then, it may do what it does not do here.
      certainty: result === "timeout" ? "likely" : "certain",
    },
  ]);
}

/** The kernel's rules, as both tools tell them; undefined what a tool could not tell. */
export async function loadedRuleset(asking: Asking): Promise<RulesetAnswers> {
  const told = async (command: string): Promise<string | undefined> => {
    const { exitCode, output } = await ask(asking, `${command} 2>/dev/null`);
    return exitCode === 0 ? output : undefined;
  };
  const [iptablesSave, ip6tablesSave, nftJson] = await Promise.all([told("iptables-save"), told("ip6tables-save"), told("nft -j list ruleset")]);
  return { nftJson, iptablesSave, ip6tablesSave };
}
